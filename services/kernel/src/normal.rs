//! One thing in several spellings: the normal forms 规范形式 in which texts are compared (domain.md section 3, "Partners").
//!
//! What callers write is kept as they gave it, and compared in the form of its kind. Two texts mean one thing where their forms
//! are equal.
//!
//! | kind | function | folded | kept apart |
//! |---|---|---|---|
//! | title 标题 | [`title`] | compatibility forms, look-alikes of other scripts, case, signs, blanks, what is not seen | letters and digits of one script: `AI`, `Al` and `A1` |
//! | reference of a bank 银行流水号, number of a document 文号·编号 | [`reference`] | the same | zeros: `PAY-01` and `PAY-1` |
//! | person 人员, (issuer, subject) in one id | [`person`] | compatibility forms, look-alikes, case, blanks, what is not seen | signs: they part issuer and subject |
//! | organisation 单位 | [`organisation`] | as a person; a party's code by the party's id | |
//! | invoice 发票 | [`Invoice::of`] | a Chinese one by code and number of 8 digits, or by 20 digits alone; any other by issuer and number | zeros of one that is not Chinese |
//!
//! Each form is its own form. *Look-alikes* are letters of Cyrillic, Greek, Armenian and the small capitals that Unicode's
//! confusables (UTS 39) show as Latin ones, Katakana drawn as a Chinese character, and the radicals that copying from a PDF leaves
//! in place of one. Within Latin nothing is folded but case, since `AI` is not `Al`.

use crate::party::{PartyCode, PartyId};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// How often a text is folded at most until nothing changes: what is left out lets letters compose that stood apart.
const ROUNDS_MAX: usize = 8;

/// A title as it is compared: letters and digits alone. "高 效（HE-2）电机", "高效(he2)电机" and the same with a Cyrillic "НЕ" are one.
#[must_use]
pub fn title(text: &str) -> String {
    folded(text, char::is_alphanumeric)
}

/// A bank's reference or a document's number as it is compared: letters and digits alone, zeros kept. `"PAY-1 "`, `pay 1` and
/// `ＰＡＹ－１` are one. A text of signs alone is compared by its signs.
#[must_use]
pub fn reference(text: &str) -> String {
    let form = folded(text, char::is_alphanumeric);
    if form.is_empty() { folded(text, is_seen) } else { form }
}

/// Whether two references are one.
#[must_use]
pub fn same_reference(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if !one.is_ascii() || !other.is_ascii() {
        return reference(one) == reference(other);
    }
    let form = |text: &'_ str| -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
    };
    let (left, right) = (form(one), form(other));
    left == right && (!left.is_empty() || reference(one) == reference(other))
}

/// A person's opaque id as A13 compares it, issuer and subject as they stand in it: `auth` and `Auth` are one person.
#[must_use]
pub fn person(id: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    if id.bytes().all(is_plain) { Cow::Borrowed(id) } else { Cow::Owned(folded(id, is_seen)) }
}

/// Whether two ids are of one person.
#[must_use]
pub fn same_person(one: &str, other: &str) -> bool {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain(one) && is_plain(other) {
        return one.eq_ignore_ascii_case(other);
    }
    person(one) == person(other)
}

/// An organisation as it is compared: where its id is a party's code, by the id that the code gives, so that both Chinese codes of
/// a legal person are one; else as a person's.
#[must_use]
pub fn organisation(id: &str) -> Cow<'_, str> {
    let form = person(id);
    if !form.contains(':') {
        return form;
    }
    match PartyCode::parse(&form.to_uppercase()) {
        Ok(code) => Cow::Owned(PartyId::of(&code).to_string()),
        Err(_) => form,
    }
}

/// Whether two ids are of one organisation.
#[must_use]
pub fn same_organisation(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    // Without a colon there is no code, and this is asked with every act of the office.
    let may_be_code = |text: &str| text.contains(':') || !text.is_ascii();
    if !may_be_code(one) && !may_be_code(other) {
        return same_person(one, other);
    }
    organisation(one) == organisation(other)
}

/// Digits that an invoice's number has in China, but for the fully digital ones 全面数字化的电子发票.
const CHINESE_NUMBER_DIGITS: usize = 8;
/// Digits of the number of a fully digital invoice, which has no code.
const DIGITAL_NUMBER_DIGITS: usize = 20;
/// Digits of the code of a Chinese series 发票代码.
const SERIES_DIGITS: [usize; 2] = [10, 12];

/// What says that a number follows. The longer ones first: each begins what is left out.
const NUMBER_WORDS: [&str; 18] = [
    "发票号码",
    "發票號碼",
    "发票号",
    "發票號",
    "票号",
    "票號",
    "号码",
    "號碼",
    "编号",
    "第",
    "invoice number",
    "invoice no",
    "invoice",
    "numero",
    "number",
    "nr",
    "no",
    "n°",
];
/// What says that the code of a series follows.
const SERIES_WORDS: [&str; 6] = ["发票代码", "發票代碼", "代码", "代碼", "invoice code", "code"];

/// An invoice as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Invoice {
    /// Code of the series, or whose number it is; empty where the number stands for itself.
    pub of: String,
    /// The number.
    pub number: String,
}

impl Invoice {
    /// The invoice with this number. `code` is that of its series 发票代码; without one, an issuer of 10 or 12 digits is taken for
    /// it, as invoices were told before the code had a field of its own.
    ///
    /// | number | then the key is |
    /// |---|---|
    /// | 20 digits | the number alone: the issuer is a value |
    /// | at most 8 digits, with a code | code and number, padded on the left |
    /// | at most 8 digits, of a Chinese issuer | issuer and number, padded on the left |
    /// | any other | issuer and number, zeros kept |
    ///
    /// A leading `No`, `№`, `N°`, 号码 is out, and so is the code where it stands before the number once more.
    #[must_use]
    pub fn of(code: Option<&str>, issuer: &str, number: &str) -> Self {
        let number = told(number, &NUMBER_WORDS);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(&number) && number.len() == DIGITAL_NUMBER_DIGITS {
            return Self { of: String::new(), number };
        }
        let series = told(code.unwrap_or(issuer), &SERIES_WORDS);
        let is_series = code.is_some() || (is_number(&series) && SERIES_DIGITS.contains(&series.len()));
        let fits = |text: &str| is_number(text) && text.len() <= CHINESE_NUMBER_DIGITS;
        let padded = |text: &str| format!("{text:0>CHINESE_NUMBER_DIGITS$}");
        if is_series {
            let own = number.strip_prefix(&series).filter(|own| fits(own)).unwrap_or(&number);
            let number = if fits(own) { padded(own) } else { own.to_owned() };
            return Self { of: series, number };
        }
        let number = if fits(&number) && is_chinese(issuer) { padded(&number) } else { number };
        Self { of: issuer_form(issuer), number }
    }
}

/// A number without what only says that it is one, in its form.
fn told(text: &str, words: &[&str]) -> String {
    let mut form = told_once(text, words);
    for _ in 1..ROUNDS_MAX {
        let again = told_once(&form, words);
        if again == form {
            break;
        }
        form = again;
    }
    form
}

fn told_once(text: &str, words: &[&str]) -> String {
    // The sign of a number stands for itself: folded, it would run into what follows.
    let whole = folded(&text.replace('№', "no "), |letter| !letter.is_control());
    let is_sign = |letter: char| !letter.is_alphanumeric();
    let mut rest = whole.trim_start_matches(is_sign);
    while let Some(after) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        let number = folded(after, char::is_alphanumeric);
        let follows = after.starts_with(is_sign) || number.starts_with(|first: char| first.is_ascii_digit());
        if number.is_empty() || !follows {
            break;
        }
        rest = after.trim_start_matches(is_sign);
    }
    let form = folded(rest, char::is_alphanumeric);
    let form = if form.is_empty() { reference(text) } else { form };
    // 第12345号.
    let bare = form.strip_suffix(['号', '號']).filter(|bare| bare.bytes().all(|byte| byte.is_ascii_digit()));
    bare.filter(|bare| !bare.is_empty()).map_or_else(|| form.clone(), str::to_owned)
}

/// A Chinese issuer: told by a Chinese code, or by a name in Chinese.
fn is_chinese(issuer: &str) -> bool {
    let is_han = |letter: char| matches!(letter, '\u{3400}'..='\u{9fff}');
    code_of(issuer).is_some_and(|code| code.scheme.starts_with("CN-")) || issuer.chars().any(is_han)
}

fn issuer_form(issuer: &str) -> String {
    code_of(issuer).map_or_else(|| reference(issuer), |code| reference(&code.to_string()))
}

/// The party's code that an issuer is told by, with or without its scheme.
fn code_of(issuer: &str) -> Option<PartyCode> {
    let text = folded(issuer, is_seen).to_uppercase();
    PartyCode::parse(&text).or_else(|_| PartyCode::new("CN-USCC", &text)).ok()
}

/// Whether anything of a letter is seen: it is no blank, no control and nothing that only joins or parts its neighbours.
fn is_seen(letter: char) -> bool {
    !letter.is_whitespace() && !letter.is_control() && !is_hidden(letter)
}

/// Letters of Unicode that show nothing (default ignorable), among them the Hangul fillers, which count as letters.
fn is_hidden(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text with its compatibility forms, its look-alikes and its case folded, of which only some letters are kept.
fn folded(text: &str, keep: impl Fn(char) -> bool + Copy) -> String {
    // Most texts have nothing to fold but case.
    let is_plain = |letter: char| letter.is_ascii() || matches!(letter, '\u{4e00}'..='\u{9fff}');
    if text.chars().all(is_plain) {
        return text
            .chars()
            .filter(|letter| keep(*letter))
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
    }
    let mut form = folded_once(text, keep);
    for _ in 1..ROUNDS_MAX {
        let again = folded_once(&form, keep);
        if again == form {
            break;
        }
        form = again;
    }
    form
}

fn folded_once(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.nfkd()
        .map(capital_shown_as)
        // Both ways, so that what has no capital of its own, as the final sigma, folds too.
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .map(shown_as)
        .nfkc()
        .filter(|letter| keep(*letter) && !is_hidden(*letter))
        .collect()
}

/// Capitals that look like another Latin letter than their small ones do. μ stays itself: 5 μm are not 5 mm.
fn capital_shown_as(letter: char) -> char {
    match letter {
        'Μ' => 'm',
        'Ν' => 'n',
        'Υ' => 'y',
        _ => letter,
    }
}

/// The letter or character that a small letter is drawn like.
fn shown_as(letter: char) -> char {
    match letter {
        // Cyrillic.
        'а' => 'a',
        'в' | 'ь' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'н' | 'һ' => 'h',
        'і' => 'i',
        'ј' => 'j',
        'к' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'о' => 'o',
        'р' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' => 't',
        'ѵ' => 'v',
        'ԝ' => 'w',
        'х' => 'x',
        'у' | 'ү' => 'y',
        // Greek.
        'α' => 'a',
        'β' => 'b',
        'ε' => 'e',
        'ζ' => 'z',
        'η' => 'h',
        'ι' => 'i',
        'κ' => 'k',
        'ν' => 'v',
        'ο' => 'o',
        'ρ' => 'p',
        'τ' => 't',
        'υ' => 'u',
        'χ' => 'x',
        // Armenian.
        'ց' => 'g',
        'հ' => 'h',
        'ո' => 'n',
        'օ' => 'o',
        'զ' => 'q',
        'ս' => 'u',
        // Small capitals, and other letters of Latin's own.
        'ᴀ' | 'ɑ' => 'a',
        'ʙ' => 'b',
        'ᴄ' => 'c',
        'ᴅ' => 'd',
        'ᴇ' => 'e',
        'ꜰ' => 'f',
        'ɢ' | 'ɡ' => 'g',
        'ʜ' => 'h',
        'ɪ' | 'ɩ' => 'i',
        'ᴊ' => 'j',
        'ᴋ' => 'k',
        'ʟ' => 'l',
        'ᴍ' => 'm',
        'ɴ' => 'n',
        'ᴏ' => 'o',
        'ᴘ' => 'p',
        'ʀ' => 'r',
        'ꜱ' => 's',
        'ᴛ' => 't',
        'ᴜ' => 'u',
        'ᴠ' => 'v',
        'ᴡ' => 'w',
        'ʏ' => 'y',
        'ᴢ' => 'z',
        // Katakana and strokes that are drawn like a Chinese character; circles for the zero of years.
        'ー' | '㇐' | 'ㄧ' => '一',
        'ニ' => '二',
        'ハ' => '八',
        'カ' => '力',
        'ト' => '卜',
        'ロ' => '口',
        'タ' => '夕',
        'エ' => '工',
        '○' | '◯' => '〇',
        // Radicals that Unicode gives no compatibility form.
        '⺠' => '民',
        '⻁' => '虎',
        '⻄' => '西',
        '⻅' => '见',
        '⻆' => '角',
        '⻉' => '贝',
        '⻋' => '车',
        '⻑' => '長',
        '⻓' => '长',
        '⻔' => '门',
        '⻘' => '青',
        '⻙' => '韦',
        '⻚' => '页',
        '⻛' => '风',
        '⻜' => '飞',
        '⻝' => '食',
        '⻢' => '马',
        '⻣' => '骨',
        '⻤' => '鬼',
        '⻥' => '鱼',
        '⻦' => '鸟',
        '⻧' => '卤',
        '⻨' => '麦',
        '⻩' => '黄',
        '⻬' => '齐',
        '⻮' => '齿',
        '⻰' => '龙',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every text of a line is the first one in another spelling.
    fn are_one(form: impl Fn(&str) -> String, lines: &[&[&str]]) {
        for line in lines {
            for spelling in *line {
                assert_eq!(form(spelling), form(line[0]), "{spelling:?} and {:?}", line[0]);
            }
        }
        for (index, one) in lines.iter().enumerate() {
            for other in &lines[index + 1..] {
                assert_ne!(form(one[0]), form(other[0]), "{:?} and {:?}", one[0], other[0]);
            }
        }
    }

    #[test]
    fn titles_are_told_by_what_is_read() {
        are_one(
            title,
            &[
                &[
                    "高效（HE-2）电机",
                    "高 效(he2)电机",
                    "高效《НЕ－２》电机",
                    "高\u{200b}效\u{feff}HE2电\u{3164}机",
                    "高效「Ｈｅ②」电机",
                    "高效ᴴᴱ²电机",
                ],
                &["高效电机", "高效・电机", "高效——电机"],
                &["高效电机二期", "高效电机ニ期", "高效电机⼆期"],
                &["风电轴承", "⻛电轴承"],
                &["二〇一三", "二○一三"],
                &["AI 电池", "ai电池", "АІ电池"],
                &["Al 电池"],
                &["5 mm 薄膜"],
                &["5 μm 薄膜", "5 µm 薄膜"],
                &["Énergie", "E\u{301}NERGIE", "énergie"],
                &["Energie"],
                &["Straße", "STRASSE"],
            ],
        );
    }

    #[test]
    fn references_keep_their_zeros() {
        are_one(
            reference,
            &[
                &["PAY-1", "PAY-1 ", "pay 1", "ＰＡＹ－１", "Pay—1", "РАУ-1", "pay\u{2060}1"],
                &["PAY-01"],
                &["PAY-10"],
                &["皖科〔2024〕12号", "皖科[2024] 12号", "皖科（２０２４）１２号"],
                &["--"],
                &["**", " **"],
            ],
        );
        assert!(same_reference("PAY-1", "pay 1 ") && same_reference("ＰＡＹ1", "pay1"));
        assert!(
            !same_reference("PAY-1", "PAY-01") && !same_reference("--", "**") && !same_reference("", "--")
        );
    }

    #[test]
    fn persons_keep_the_signs_that_part_issuer_and_subject() {
        are_one(
            |id| person(id).into_owned(),
            &[
                &["auth", "Auth", "AUTH", "ａｕｔｈ", "аuth"],
                &["idp-1/23", "IDP-1/23"],
                &["idp-12/3"],
                &["idp/123"],
            ],
        );
        assert!(
            same_person("auth", "Auth") && same_person("auth", "ａｕｔｈ") && !same_person("auth", "auth2")
        );
    }

    #[test]
    fn an_organisation_is_told_by_any_chinese_code() {
        are_one(
            |id| organisation(id).into_owned(),
            &[
                &[
                    "CN-USCC:91330100799655058B",
                    "cn-uscc:91330100799655058b",
                    "CN-USCI:91330100799655058B",
                    "CN-ORG:79965505-8",
                ],
                &["CN-USCC:9144030071526726XG"],
                &["office", "Office"],
                &["CN-USCC:none"],
            ],
        );
        assert!(same_organisation("CN-USCI:91330100799655058B", "CN-ORG:799655058"));
        assert!(same_organisation("office", "OFFICE") && !same_organisation("office", "CN-ORG:799655058"));
    }

    #[test]
    fn an_invoice_is_one_in_every_spelling() {
        let of = |code: Option<&str>, issuer: &str, number: &str| Invoice::of(code, issuer, number);
        let first = of(None, "2100143130", "00012345");
        assert_eq!((first.of.as_str(), first.number.as_str()), ("2100143130", "00012345"));
        for number in [
            "12345",
            "012345",
            "００ ０１２３４５",
            "０００１２３４５",
            "No.00012345",
            "NO 12345",
            "no12345",
            "№00012345",
            "№ 12345",
            "N°12345",
            "Nº 12345",
            "0001-2345",
            "#12345",
            "号码：00012345",
            "发票号码 00012345",
            "第12345号",
            "Invoice No. 12345",
            "210014313000012345",
            "2100143130-00012345",
        ] {
            for issuer in ["2100143130", "2100 143130", "发票代码：２１００１４３１３０"] {
                assert_eq!(of(None, issuer, number), first, "{issuer} {number}");
            }
            // The code has its field: the issuer is a value.
            assert_eq!(of(Some("2100143130"), "CN-USCC:91330100799655058B", number), first, "{number}");
        }
        for (code, issuer, number) in [
            (None, "2100143130", "00012346"),
            (None, "2100143130", "123450"),
            (None, "2100143131", "00012345"),
            (None, "021001431301", "00012345"),
            (Some("2100143131"), "2100143130", "00012345"),
            (None, "CN-USCC:91330100799655058B", "00012345"),
        ] {
            assert_ne!(of(code, issuer, number), first, "{code:?} {issuer} {number}");
        }
    }

    #[test]
    fn a_digital_invoice_is_its_number_whoever_issued_it() {
        let first = Invoice::of(None, "CN-USCC:91330100799655058B", "24332000000012345678");
        for (code, issuer, number) in [
            (None, "甲公司", "2433 2000 0000 1234 5678"),
            (None, "x", "No.24332000000012345678"),
            (Some("2100143130"), "x", "２４３３２０００００００１２３４５６７８"),
        ] {
            assert_eq!(Invoice::of(code, issuer, number), first);
        }
        assert_ne!(Invoice::of(None, "甲公司", "24332000000012345679"), first);
    }

    #[test]
    fn other_invoices_are_told_by_issuer_and_number_with_its_zeros() {
        let of = |issuer: &str, number: &str| Invoice::of(None, issuer, number);
        assert_eq!(of("ACME GmbH", "R-0017"), of("acme  gmbh", "r 0017"));
        assert_eq!(of("ACME GmbH", "No. R-0017"), of("acme gmbh", "№R0017"));
        assert_ne!(of("ACME GmbH", "0017"), of("ACME GmbH", "17"));
        assert_ne!(of("ACME GmbH", "17"), of("Other GmbH", "17"));
        // A Chinese issuer without a code: the number is padded.
        assert_eq!(of("沈阳轴承厂", "00000017"), of("沈阳轴承厂 ", "17"));
        let uscc = of("CN-USCC:91330100799655058B", "17");
        assert_eq!(of("91330100799655058b", "00000017"), uscc);
        assert_eq!(of("CN-USCI:91330100799655058B", "0017"), uscc);
        assert_ne!(of("EU-PIC:998616262", "0017"), of("EU-PIC:998616262", "17"));
        // What only looks like a word before a number is a part of it.
        assert_ne!(of("ACME", "NORTH17"), of("ACME", "RTH17"));
        assert_ne!(of("ACME", "No."), of("ACME", ""));
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(text in "\\PC{0,24}") {
            let form = title(&text);
            prop_assert_eq!(title(&form), form.clone());
            let form = reference(&text);
            prop_assert_eq!(reference(&form), form.clone());
            let form = person(&text).into_owned();
            prop_assert_eq!(person(&form).into_owned(), form.clone());
            let whole = Invoice::of(None, &text, &text);
            prop_assert_eq!(Invoice::of(None, &text, &whole.number).number, whole.number.clone());
        }

        #[test]
        fn blanks_signs_case_and_width_make_no_other_reference(text in "[A-Za-z0-9]{1,12}", at in 0..12_usize) {
            let at = at.min(text.len());
            let spelled = format!(" {}-{}\u{200b}", &text[..at], text[at..].to_uppercase());
            let wide: String = spelled
                .chars()
                .map(|letter| match letter {
                    '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
                    _ => letter,
                })
                .collect();
            prop_assert!(same_reference(&text, &spelled) && same_reference(&wide, &text));
            prop_assert_eq!(reference(&wide), reference(&text));
        }

        #[test]
        fn the_quick_comparisons_agree_with_the_forms(one in "[aA1 :.-]{0,6}", other in "[aA1 :.-]{0,6}") {
            prop_assert_eq!(same_reference(&one, &other), reference(&one) == reference(&other));
            prop_assert_eq!(same_person(&one, &other), person(&one) == person(&other));
            prop_assert_eq!(same_organisation(&one, &other), organisation(&one) == organisation(&other));
        }

        #[test]
        fn chinese_numbers_that_differ_stay_different(one in 0..100_000_000_u32, other in 0..100_000_000_u32) {
            let of = |number: u32| Invoice::of(None, "2100143130", &number.to_string());
            prop_assert_eq!(of(one) == of(other), one == other);
            prop_assert_eq!(Invoice::of(None, "2100143130", &format!("No.{one:08}")), of(one));
        }
    }
}
