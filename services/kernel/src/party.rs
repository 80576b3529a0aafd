//! Parties 主体: who they are (scheme and code), and what kind of legal person they are (domain.md section 1).
//!
//! A party is identified by scheme and code, as org-id.guide does. Codes with check characters are verified, because a
//! mistyped code is a payment to somebody else.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::StreamId;

/// Under this namespace a party's id follows from its first known code. It must never change: ids in the log depend on it.
const PARTY_NAMESPACE: Uuid = Uuid::from_u128(0x0d4f_62b7_51c8_4e0f_8b7c_6a3e_95d2_1f40);

/// Under this namespace a code has an id of its own, beside that of the party it belongs to.
const CODE_NAMESPACE: Uuid = Uuid::from_u128(0x7c1e_90b4_2f6d_4a58_9e03_d1b7_48ac_6f25);

/// Scheme of the unified social credit code 统一社会信用代码, and what org-id.guide calls it.
const USCC: &str = "CN-USCC";
const USCI: &str = "CN-USCI";

/// Characters of a unified social credit code.
const USCC_LENGTH: usize = 18;

/// The form of an organisation code, for the sentence about one that has another.
const ORGANISATION_FORM: &str = "8 capital letters or digits and a check character, such as 80065505-8";

/// Words that stand for no code, in capitals and without signs.
const WORDS_FOR_NONE: [&str; 12] = [
    "NA",
    "NAN",
    "NIL",
    "NONE",
    "NULL",
    "NO",
    "UNKNOWN",
    "UNDEFINED",
    "NOTAPPLICABLE",
    "NOTAVAILABLE",
    "TBA",
    "TBD",
];

/// The 31 characters of GB 32100; a character's value is its index (domain.md section 9).
const GB_32100_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// The weights of the first 17 characters: 3^(i−1) mod 31.
const GB_32100_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// Where a unified social credit code holds the organisation code: characters 9 to 17, of which the last is its check
/// character.
const USCC_ORGANISATION: Range<usize> = 8..17;

/// The 36 characters of GB 11714; a character's value is its index.
const GB_11714_ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// The weights of the first 8 characters.
const GB_11714_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// The most characters of a code in a scheme whose form is not known here.
const OTHER_CODE_LENGTH_MAX: usize = 64;

/// A party's identity 主体标识: the UUID v5 of the first code known. Other codes of the same party are aliases of it,
/// save that both Chinese codes give one id by themselves: see [`PartyId::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(pub Uuid);

impl PartyId {
    /// The id that follows from a code, the same on every run.
    ///
    /// It is the party's id only when this is the first code known of it; for a later code, look up the alias.
    ///
    /// A `CN-USCC` gives the id of the organisation code within it, its characters 9 to 17 (GB 32100). From 2015 on the
    /// new codes were given to legal persons that had been recorded under the old ones, each keeping its organisation
    /// code as that part. One legal person is never counted twice (domain.md section 1), and ids are permanent: two ids
    /// could not be made one later. A natural person, as an intermediary may be, has neither code, so nobody's id
    /// follows from a part of somebody else's. Where the organisation code within fails its own check, as one taken from a
    /// certificate may, it proves nobody's identity, and the id is that of the whole code.
    #[must_use]
    pub fn of(code: &PartyCode) -> Self {
        let name = match (code.scheme.as_str(), code.code.get(USCC_ORGANISATION)) {
            ("CN-USCC", Some(organisation)) if check_org(organisation).is_ok() => {
                format!("CN-ORG:{organisation}")
            }
            _ => code.to_string(),
        };
        Self(Uuid::new_v5(&PARTY_NAMESPACE, name.as_bytes()))
    }

    /// The id that a unified code gave under the name `CN-USCI` before that was read as `CN-USCC`; `None` of other codes. What was
    /// recorded under it then is that of [`PartyId::of`] (domain.md section 3).
    #[must_use]
    pub fn first_form(code: &PartyCode) -> Option<Self> {
        let name = (code.scheme == USCC).then(|| format!("{USCI}:{}", code.code))?;
        Some(Self(Uuid::new_v5(&PARTY_NAMESPACE, name.as_bytes())))
    }
}

/// JSON in which the scheme of unified codes has one name, whichever it was told under.
#[must_use]
pub fn json_under_one_name(json: String) -> String {
    // Within a text the quotation mark would be escaped.
    if json.contains(":\"CN-USCI:") { json.replace(":\"CN-USCI:", ":\"CN-USCC:") } else { json }
}

/// A command's JSON as it was before `CN-USCI` was read as `CN-USCC`: the ids that follow from codes that are told under that name
/// are those of then. `None` where there is no such code. What was stored then is compared with it.
#[must_use]
pub fn json_in_first_form(json: &str) -> Option<String> {
    let mut earlier = None;
    // Within a text the quotation mark would be escaped.
    for told in json.split("\"CN-USCI:").skip(1) {
        let Some((code, _)) = told.split_once('"') else { continue };
        let Ok(code) = PartyCode::stored(&format!("{USCI}:{code}")) else { continue };
        let Some(first) = PartyId::first_form(&code) else { continue };
        let ids = (PartyId::of(&code).to_string(), first.to_string());
        earlier = Some(earlier.as_deref().unwrap_or(json).replace(&ids.0, &ids.1));
    }
    earlier
}

impl PartyId {
    /// Kind of what it identifies, as in a [`StreamId`].
    pub const KIND: &'static str = "party";

    /// The aggregate with this id.
    #[must_use]
    pub const fn stream(self) -> StreamId {
        StreamId::new(Self::KIND, self.0)
    }
}

impl FromStr for PartyId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Id of a code itself: the log of the party directory keeps under it whose code it is, so that no code ever belongs to two
/// parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyCodeId(pub Uuid);

impl PartyCodeId {
    /// The id of a code, the same on every run: a UUID v5 of the code as it is written.
    #[must_use]
    pub fn of(code: &PartyCode) -> Self {
        Self(Uuid::new_v5(&CODE_NAMESPACE, code.to_string().as_bytes()))
    }
}

impl PartyCodeId {
    /// Kind of what it identifies, as in a [`StreamId`].
    pub const KIND: &'static str = "party code";

    /// The aggregate with this id.
    #[must_use]
    pub const fn stream(self) -> StreamId {
        StreamId::new(Self::KIND, self.0)
    }
}

/// A party's code 主体代码 in a scheme, written `SCHEME:CODE` (`"EU-PIC:998616262"`), also in JSON.
///
/// | scheme | 中文 | form |
/// |---|---|---|
/// | `CN-USCC` | 统一社会信用代码 | 18 characters, two of them check characters (GB 32100) |
/// | `CN-ORG` | 组织机构代码, before 2015 | 9 characters, the last a check character (GB 11714); held without the hyphen |
/// | `EU-PIC` | 欧盟参与者代码 | 9 digits |
/// | `GB-COH` | 英国公司注册号 | 8 capital letters or digits |
///
/// Any other scheme is two or three capitals, a hyphen, and 2 to 12 capitals or digits, with a code of 1 to 64 printable
/// ASCII characters. Make one with [`PartyCode::new`] or [`PartyCode::parse`], which check it, or, where a certificate has
/// the code that fails, with [`PartyCode::of_certificate`].
///
/// `CN-USCI`, as org-id.guide calls the unified code, is read as `CN-USCC`, so that both are one code and give one id; what leaves
/// Concord in a file has it again ([`PartyCode::exported`]). In JSON a code stands as it was taken, under the name that it was taken
/// under: what is stored was checked then, and a log that was written under other checks is still read, and is the same bytes again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartyCode {
    /// Who issues the code.
    pub scheme: String,
    /// The code, in its normal form.
    pub code: String,
    /// It was taken as `CN-USCI`. That says nothing about which code it is.
    taken_as_usci: bool,
}

impl PartyCode {
    fn identity(&self) -> (&str, &str) {
        (&self.scheme, &self.code)
    }
}

impl PartialEq for PartyCode {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for PartyCode {}

impl PartialOrd for PartyCode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PartyCode {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for PartyCode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl PartyCode {
    /// Checks a code against its scheme and brings it to its normal form.
    ///
    /// # Errors
    ///
    /// [`PartyCodeError`] saying which character is wrong, and which check character the rest would need.
    pub fn new(scheme: &str, code: &str) -> Result<Self, PartyCodeError> {
        if says_nothing(code) {
            return Err(PartyCodeError::NoIdentity { code: excerpt(code) });
        }
        match scheme {
            USCC | USCI => Ok(Self::unified(scheme, check_uscc(code)?)),
            "CN-ORG" => Ok(Self { scheme: scheme.to_owned(), code: check_org(code)?, taken_as_usci: false }),
            _ => Self::of_form(scheme, code),
        }
    }

    /// A Chinese code as a certificate has it, although its check character does not follow from the others: some were issued so.
    /// All else about it is checked. Whoever takes one keeps the number of the document beside it.
    ///
    /// # Errors
    ///
    /// As [`PartyCode::new`], but for the check character. One of digits alone that ends in three zeros was rounded by a
    /// spreadsheet, and is none.
    pub fn of_certificate(scheme: &str, code: &str) -> Result<Self, PartyCodeError> {
        match Self::new(scheme, code) {
            Err(PartyCodeError::CheckCharacter { code, .. }) => {
                let is_rounded = code.len() == USCC_LENGTH
                    && code.bytes().all(|byte| byte.is_ascii_digit())
                    && code.ends_with("000");
                if is_rounded {
                    return Err(PartyCodeError::NoIdentity { code });
                }
                match scheme {
                    USCC | USCI => Ok(Self::unified(scheme, code)),
                    _ => Self::of_form(scheme, &code),
                }
            }
            read => read,
        }
    }

    /// Reads `SCHEME:CODE` as a certificate has it.
    ///
    /// # Errors
    ///
    /// As [`PartyCode::parse`] and [`PartyCode::of_certificate`].
    pub fn parse_of_certificate(text: &str) -> Result<Self, PartyCodeError> {
        let (scheme, code) = split(text)?;
        Self::of_certificate(scheme, code)
    }

    /// The code as it is stored, or was.
    fn stored(text: &str) -> Result<Self, PartyCodeError> {
        let (scheme, code) = split(text)?;
        match scheme {
            // Taken under its other name before that was read as this one; what passes no check stays what it was.
            USCI if check_uscc(code).is_ok() => Ok(Self::unified(scheme, check_uscc(code)?)),
            "CN-ORG" => Self::of_form(scheme, check_org(code).as_deref().unwrap_or(code)),
            _ => Self::of_form(scheme, code),
        }
    }

    /// The code as files for others have it: the unified code under the name that it has outside.
    #[must_use]
    pub fn exported(&self) -> String {
        exported(&self.to_string())
    }

    /// A code of the scheme's form, whatever its check characters.
    fn of_form(scheme: &str, code: &str) -> Result<Self, PartyCodeError> {
        let code = match scheme {
            USCC => check_form(code, "18 capital letters or digits", is_unified)?,
            "CN-ORG" => check_form(code, ORGANISATION_FORM, is_organisation)?,
            "EU-PIC" => {
                check_form(code, "9 digits", |c| c.len() == 9 && c.bytes().all(|b| b.is_ascii_digit()))?
            }
            "GB-COH" => {
                check_form(code, "8 capital letters or digits, padded with zeros on the left", |c| {
                    c.len() == 8 && c.bytes().all(is_capital_or_digit)
                })?
            }
            _ => {
                check_scheme(scheme)?;
                check_form(code, "1 to 64 printable ASCII characters without blanks", |c| {
                    (1..=OTHER_CODE_LENGTH_MAX).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_graphic())
                })?
            }
        };
        Ok(Self { scheme: scheme.to_owned(), code, taken_as_usci: false })
    }

    /// A unified social credit code, under either name of its scheme.
    fn unified(scheme: &str, code: String) -> Self {
        Self { scheme: USCC.to_owned(), code, taken_as_usci: scheme == USCI }
    }

    /// Reads `SCHEME:CODE`.
    ///
    /// # Errors
    ///
    /// [`PartyCodeError::SchemeMissing`] without a colon, otherwise as [`PartyCode::new`].
    pub fn parse(text: &str) -> Result<Self, PartyCodeError> {
        let (scheme, code) = split(text)?;
        Self::new(scheme, code)
    }
}

/// A code, written `SCHEME:CODE`, as files for others have it: `CN-USCI` for the unified code, as org-id.guide calls it. Any
/// other text stays as it is.
#[must_use]
pub fn exported(code: &str) -> String {
    let unified = code.strip_prefix(USCC).filter(|rest| rest.starts_with(':'));
    unified.map_or_else(|| code.to_owned(), |rest| format!("{USCI}{rest}"))
}

fn split(text: &str) -> Result<(&str, &str), PartyCodeError> {
    text.split_once(':').ok_or_else(|| PartyCodeError::SchemeMissing { text: excerpt(text) })
}

impl FromStr for PartyCode {
    type Err = PartyCodeError;

    fn from_str(text: &str) -> Result<Self, PartyCodeError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PartyCode {
    type Error = PartyCodeError;

    fn try_from(text: String) -> Result<Self, PartyCodeError> {
        Self::stored(&text)
    }
}

impl From<PartyCode> for String {
    fn from(code: PartyCode) -> Self {
        let scheme = if code.taken_as_usci { USCI } else { &code.scheme };
        format!("{scheme}:{}", code.code)
    }
}

impl fmt::Display for PartyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.code)
    }
}

/// Why a party code was refused. Codes are shown cut to 64 characters, with control characters escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartyCodeError {
    /// There is no colon between scheme and code.
    #[error(
        "{text}: a party code is written SCHEME:CODE, such as CN-USCC:91330100799655058B; put the scheme before it"
    )]
    SchemeMissing {
        /// The text as given.
        text: String,
    },
    /// The scheme's name is not formed as org-id.guide forms it.
    #[error(
        "{scheme}: a scheme is a country and a register in capitals, such as CN-USCC or EU-PIC; correct it"
    )]
    SchemeMalformed {
        /// The scheme as given.
        scheme: String,
    },
    /// It says nothing: a word for none, zeros or signs alone, or a number that a spreadsheet rounded.
    #[error(
        "{code}: this tells no party from another; give the code on its certificate, and keep spreadsheets from rounding it"
    )]
    NoIdentity {
        /// The code as given.
        code: String,
    },
    /// The code does not have the form its scheme asks for.
    #[error("{code}: the code should be {expected}; check it against the register")]
    Malformed {
        /// The code as given.
        code: String,
        /// The form the scheme asks for.
        expected: &'static str,
    },
    /// The code is right but for lower-case letters, or may be.
    #[error("{code}: the letters of this code are capitals; write {capitals}")]
    LowerCase {
        /// The code as given.
        code: String,
        /// The code in capitals.
        capitals: String,
    },
    /// A character that the standard's alphabet does not have.
    #[error(
        "{code}: {character:?} at character {position} is not in the alphabet of {standard}; check it against the certificate (GB 32100 has no I, O, S, V or Z)"
    )]
    Character {
        /// The code as given.
        code: String,
        /// The character that does not belong.
        character: char,
        /// Its position, counted from 1.
        position: usize,
        /// The standard that defines the alphabet.
        standard: &'static str,
    },
    /// A check character does not follow from the characters before it.
    #[error(
        "{code}: check character should be {expected} at character {position} ({standard}) and is {found}; check the code against the certificate"
    )]
    CheckCharacter {
        /// The code as given.
        code: String,
        /// What the characters before it need.
        expected: char,
        /// What is there.
        found: char,
        /// Its position, counted from 1.
        position: usize,
        /// The standard that defines it.
        standard: &'static str,
    },
}

/// What kind of legal person a party is 主体类别 (domain.md section 1). Written in snake case in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// An enterprise 企业.
    Enterprise,
    /// A university 高校.
    University,
    /// A research institute 科研院所, the two Academies 两院 included.
    Institute,
    /// A government department 政府部门.
    Government,
    /// A park's administrative committee 管委会.
    ParkCommittee,
    /// A bank, guarantor, small-loan company or venture fund 金融机构.
    FinancialInstitution,
    /// A technology intermediary 科技中介; alone among the kinds it may be a natural person.
    Intermediary,
    /// A trade association or chamber of commerce 行业协会·商会.
    Association,
    /// None of these 其他.
    Other,
}

impl PartyKind {
    /// The kind in Chinese.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Enterprise => "企业",
            Self::University => "高校",
            Self::Institute => "科研院所",
            Self::Government => "政府部门",
            Self::ParkCommittee => "管委会",
            Self::FinancialInstitution => "金融机构",
            Self::Intermediary => "科技中介",
            Self::Association => "行业协会·商会",
            Self::Other => "其他",
        }
    }

    /// The kind in English.
    #[must_use]
    pub fn label_en(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::University => "university",
            Self::Institute => "institute",
            Self::Government => "government",
            Self::ParkCommittee => "park committee",
            Self::FinancialInstitution => "financial institution",
            Self::Intermediary => "intermediary",
            Self::Association => "association",
            Self::Other => "other",
        }
    }
}

fn is_capital_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// `[A-Z]{2,3}-[A-Z0-9]{2,12}`.
fn check_scheme(scheme: &str) -> Result<(), PartyCodeError> {
    let well_formed = scheme.split_once('-').is_some_and(|(country, register)| {
        (2..=3).contains(&country.len())
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && (2..=12).contains(&register.len())
            && register.bytes().all(is_capital_or_digit)
    });
    if well_formed { Ok(()) } else { Err(PartyCodeError::SchemeMalformed { scheme: excerpt(scheme) }) }
}

fn check_form(
    code: &str,
    expected: &'static str,
    holds: impl Fn(&str) -> bool,
) -> Result<String, PartyCodeError> {
    if holds(code) {
        return Ok(code.to_owned());
    }
    let capitals = code.to_ascii_uppercase();
    if holds(&capitals) {
        return Err(PartyCodeError::LowerCase { code: excerpt(code), capitals });
    }
    Err(PartyCodeError::Malformed { code: excerpt(code), expected })
}

fn is_unified(code: &str) -> bool {
    code.len() == USCC_LENGTH && code.bytes().all(is_capital_or_digit)
}

fn is_organisation(code: &str) -> bool {
    code.len() == 9 && code.bytes().all(is_capital_or_digit)
}

/// Whether a code identifies nobody (domain.md section 1): a word for none, signs or zeros alone, or a number that a spreadsheet
/// rounded to its first digits and an exponent.
fn says_nothing(code: &str) -> bool {
    let bare: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    // Letters beyond ASCII are another fault, which the code's form tells.
    let of_signs = bare.is_empty() && code.is_ascii() && !code.is_empty();
    let of_zeros = !bare.is_empty() && bare.bytes().all(|byte| byte == b'0');
    of_signs || of_zeros || WORDS_FOR_NONE.contains(&bare.as_str()) || is_rounded(code)
}

/// `9.13E+17`: digits with a point, and an exponent.
fn is_rounded(code: &str) -> bool {
    let Some((digits, exponent)) = code.split_once(['E', 'e']) else { return false };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let is_told = exponent.starts_with('+') || !part.is_empty();
    is_told && are_digits(whole) && (part.is_empty() || are_digits(part)) && are_digits(power)
}

/// A unified social credit code 统一社会信用代码 (GB 32100).
fn check_uscc(code: &str) -> Result<String, PartyCodeError> {
    check_form(code, "18 capital letters or digits", is_unified)?;
    // The last character is left to the comparison below, which can say what it should be.
    let values = values(code, &code[..17], GB_32100_ALPHABET, "GB 32100")?;
    let sum: u32 = values.iter().zip(GB_32100_WEIGHTS).map(|(value, weight)| value * weight).sum();
    let expected = character_at(GB_32100_ALPHABET, (31 - sum % 31) % 31);
    // The inner check first: when only its own character is wrong, both fail, and this is the one that names the mistake.
    check_character(code, org_check_character(code, &code[8..16])?, 17, "GB 11714")?;
    check_character(code, expected, 18, "GB 32100")?;
    Ok(code.to_owned())
}

/// An organisation code 组织机构代码 (GB 11714), with or without its hyphen.
fn check_org(code: &str) -> Result<String, PartyCodeError> {
    let bare = match code.as_bytes() {
        [body @ .., b'-', _] if body.len() == 8 => code.replacen('-', "", 1),
        _ => code.to_owned(),
    };
    check_form(&bare, ORGANISATION_FORM, is_organisation)?;
    check_character(&bare, org_check_character(&bare, &bare[..8])?, 9, "GB 11714")?;
    Ok(bare)
}

/// The check character of the 8 characters of an organisation code: 11 − Σ mod 11, where 10 is X and 11 is 0.
fn org_check_character(code: &str, body: &str) -> Result<char, PartyCodeError> {
    let values = values(code, body, GB_11714_ALPHABET, "GB 11714")?;
    let sum: u32 = values.iter().zip(GB_11714_WEIGHTS).map(|(value, weight)| value * weight).sum();
    Ok(match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => character_at(GB_11714_ALPHABET, digit),
    })
}

fn check_character(
    code: &str,
    expected: char,
    position: usize,
    standard: &'static str,
) -> Result<(), PartyCodeError> {
    let found = char::from(code.as_bytes()[position - 1]);
    if found == expected {
        return Ok(());
    }
    Err(PartyCodeError::CheckCharacter { code: code.to_owned(), expected, found, position, standard })
}

/// The value, in the alphabet of a standard, of every character of a part of the code.
fn values(
    code: &str,
    part: &str,
    alphabet: &str,
    standard: &'static str,
) -> Result<Vec<u32>, PartyCodeError> {
    part.chars()
        .enumerate()
        .map(|(index, character)| {
            alphabet
                .chars()
                .zip(0..)
                .find(|(listed, _)| *listed == character)
                .map(|(_, value)| value)
                .ok_or_else(|| PartyCodeError::Character {
                    code: excerpt(code),
                    character,
                    position: index + 1,
                    standard,
                })
        })
        .collect()
}

fn character_at(alphabet: &str, value: u32) -> char {
    char::from(alphabet.as_bytes()[value as usize])
}

/// The start of a text as it can be shown safely in a message.
fn excerpt(text: &str) -> String {
    text.chars().take(OTHER_CODE_LENGTH_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_credit_codes_are_accepted() {
        for code in ["91330100799655058B", "9144030071526726XG", "91110108551385082Q", "91110000802100433B"] {
            assert_eq!(PartyCode::new("CN-USCC", code).unwrap().to_string(), format!("CN-USCC:{code}"));
        }
        assert!(PartyCode::new("CN-USCC", "91350100M000100Y43").is_ok());
    }

    #[test]
    fn a_wrong_code_is_refused_with_what_it_should_be() {
        for (text, words) in [
            ("CN-USCC:91350100M000100Y4Z", "91350100M000100Y4Z: check character should be 3 "),
            ("CN-USCC:91350100M000100Y44", "91350100M000100Y44: check character should be 3 "),
            ("CN-USCC:91350100M000100Y53", "check character should be 4 at character 17 (GB 11714)"),
            ("CN-USCC:91330100799655058b", "write 91330100799655058B"),
            ("CN-USCC:9133010079965505", "18 capital letters or digits"),
            ("CN-USCC:91330100799655058B ", "18 capital letters or digits"),
            ("CN-USCC:９1330100799655058B", "18 capital letters or digits"),
            ("CN-USCC:9I330100799655058B", "'I' at character 2"),
            ("CN-ORG:79965505-7", "799655057: check character should be 8"),
            ("CN-ORG:7996550-58", "8 capital letters or digits and a check character"),
            ("EU-PIC:99861626", "9 digits"),
            ("GB-COH:sc123456", "write SC123456"),
            ("GB-COH:445790", "padded with zeros"),
            ("cn-uscc:91330100799655058B", "a scheme is a country and a register"),
            ("US-EIN:", "1 to 64 printable"),
            ("US-EIN:1 2", "1 to 64 printable"),
            ("US-EIN:1\u{7f}2", "1\\u{7f}2: the code"),
            ("91330100799655058B", "put the scheme before it"),
        ] {
            let refusal = PartyCode::parse(text).unwrap_err().to_string();
            assert!(refusal.contains(words), "{text}: {refusal}");
        }
    }

    #[test]
    fn an_organisation_code_is_held_without_its_hyphen() {
        let code = PartyCode::parse("CN-ORG:79965505-8").unwrap();
        assert_eq!(code.code, "799655058");
        assert_eq!(PartyCode::parse("CN-ORG:799655058").unwrap(), code);
        assert!(PartyCode::parse("CN-ORG:71526726-X").is_ok());
    }

    #[test]
    fn schemes_not_known_here_are_taken_by_their_form() {
        let code = PartyCode::parse("US-EIN:12:34").unwrap();
        assert_eq!((code.scheme.as_str(), code.code.as_str()), ("US-EIN", "12:34"));
    }

    #[test]
    fn a_party_id_follows_from_the_code() {
        let code = PartyCode::parse("EU-PIC:998616262").unwrap();
        // Pinned: a change here would orphan every party in the log.
        assert_eq!(PartyId::of(&code).to_string(), "db298fd5-7e95-513d-834c-86b55328c103");
        assert_eq!(PartyId::of(&code).to_string().parse(), Ok(PartyId::of(&code)));
    }

    #[test]
    fn both_chinese_codes_of_a_legal_person_give_one_id() {
        let new = PartyCode::parse("CN-USCC:91330100799655058B").unwrap();
        let old = PartyCode::parse("CN-ORG:79965505-8").unwrap();
        assert_eq!(PartyId::of(&new), PartyId::of(&old));
        // Pinned, as above.
        assert_eq!(PartyId::of(&new).to_string(), "a9d6792c-8a2d-59a7-b7df-0b9c26c02e85");
        let other = PartyCode::parse("CN-USCC:9144030071526726XG").unwrap();
        assert_ne!(PartyId::of(&other), PartyId::of(&new));
        // The same characters in another scheme are another party.
        let foreign = PartyCode::parse("US-EIN:91330100799655058B").unwrap();
        assert_ne!(PartyId::of(&foreign), PartyId::of(&new));
        let foreign = PartyCode::parse("US-EIN:799655058").unwrap();
        assert_ne!(PartyId::of(&foreign), PartyId::of(&new));
    }

    #[test]
    fn a_code_has_an_id_of_its_own() {
        let code = PartyCode::parse("EU-PIC:998616262").unwrap();
        // Pinned: a change here would lose whose codes they are.
        assert_eq!(PartyCodeId::of(&code).0.to_string(), "38957499-dbc6-588e-8f7c-b848201a3a5e");
        assert_ne!(PartyCodeId::of(&code).0, PartyId::of(&code).0);
        let new = PartyCode::parse("CN-USCC:91330100799655058B").unwrap();
        let old = PartyCode::parse("CN-ORG:79965505-8").unwrap();
        assert_ne!(PartyCodeId::of(&new), PartyCodeId::of(&old), "two codes of one party are two codes");
    }

    #[test]
    fn the_unified_code_has_two_names_and_one_id() {
        let code = PartyCode::parse("CN-USCC:91330100799655058B").unwrap();
        let named = PartyCode::parse("CN-USCI:91330100799655058B").unwrap();
        assert_eq!((&named, PartyId::of(&named)), (&code, PartyId::of(&code)));
        assert_eq!(PartyCodeId::of(&named), PartyCodeId::of(&code));
        assert_eq!(named.exported(), "CN-USCI:91330100799655058B");
        assert_eq!(exported("CN-ORG:799655058"), "CN-ORG:799655058");
        assert_eq!(exported("CN-USCCX:1"), "CN-USCCX:1");
        assert_eq!(exported("CN-USCC"), "CN-USCC");
        assert!(PartyCode::parse("CN-USCI:91350100M000100Y4Z").is_err());
    }

    #[test]
    fn a_command_that_named_the_other_scheme_has_the_ids_of_then() {
        let code = PartyCode::parse("CN-USCI:91330100799655058B").unwrap();
        let first = PartyId::first_form(&code).unwrap();
        assert_eq!(first.0, Uuid::new_v5(&PARTY_NAMESPACE, b"CN-USCI:91330100799655058B"));
        assert_eq!(PartyId::first_form(&PartyCode::parse("CN-ORG:799655058").unwrap()), None);
        let json = |id: PartyId| format!("{{\"party\":\"{id}\",\"code\":\"CN-USCI:91330100799655058B\"}}");
        assert_eq!(json_in_first_form(&json(PartyId::of(&code))), Some(json(first)));
        let other = json(first).replace("CN-USCI", "CN-USCC");
        assert_eq!(json_in_first_form(&other), None);
    }

    #[test]
    fn what_says_nothing_is_no_code() {
        for code in [
            "CN-USCC:N/A",
            "CN-USCC:-",
            "CN-USCC:000000000000000000",
            "CN-USCC:9.13E+17",
            "CN-USCI:9.1330100799655E+17",
            "CN-ORG:00000000-0",
            "EU-PIC:000000000",
            "EU-PIC:9,98616262E8",
            "GB-COH:00000000",
            "US-EIN:n/a",
            "US-EIN:None",
            "US-EIN:--",
            "US-EIN:0",
            "US-EIN:1E+09",
        ] {
            let refusal = PartyCode::parse(code).unwrap_err();
            assert!(matches!(refusal, PartyCodeError::NoIdentity { .. }), "{code}: {refusal}");
        }
        for code in ["US-EIN:1E5", "US-EIN:N-1", "GB-COH:OE012345", "US-EIN:1.5", "EU-PIC:000000001"] {
            assert!(PartyCode::parse(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn a_certificate_may_have_a_code_that_fails_its_check() {
        let of = |text: &str| PartyCode::parse_of_certificate(text);
        let wrong = of("CN-USCI:91350100M000100Y4Z").unwrap();
        assert_eq!(wrong.to_string(), "CN-USCC:91350100M000100Y4Z");
        // The organisation code within is right, and is the same legal person's.
        let right = PartyCode::parse("CN-USCC:91350100M000100Y43").unwrap();
        assert_eq!(PartyId::of(&wrong), PartyId::of(&right));
        assert_ne!(PartyCodeId::of(&wrong), PartyCodeId::of(&right));
        assert_eq!(of("CN-USCC:91350100M000100Y43").unwrap(), right);
        // It is not, and tells nobody.
        let inner = of("CN-USCC:91350100M000100Y53").unwrap();
        assert_ne!(PartyId::of(&inner), PartyId::of(&right));
        assert_eq!(of("CN-ORG:79965505-7").unwrap().code, "799655057");
        assert_ne!(PartyId::of(&inner), PartyId::of(&of("CN-ORG:M000100Y5").unwrap()));
        // All else is checked.
        for code in [
            "CN-USCC:9I330100799655058B",
            "CN-USCC:91330100799655058b",
            "CN-USCC:9133010079965505",
            "CN-USCC:913301007996550000",
            "CN-USCC:N/A",
            "EU-PIC:99861626",
        ] {
            assert!(of(code).is_err(), "{code}");
        }
    }

    #[test]
    fn what_is_stored_is_read_as_it_was_taken() {
        let read = |code: &str| serde_json::from_value::<PartyCode>(code.into()).unwrap().to_string();
        for code in [
            "CN-USCC:91350100M000100Y4Z",
            "CN-ORG:799655057",
            "CN-ORG:000000000",
            "EU-PIC:000000000",
            "US-EIN:N/A",
            "CN-USCI:N/A",
            "CN-USCI:91350100M000100Y4Z",
        ] {
            assert_eq!(read(code), code);
        }
        assert_eq!(read("CN-USCI:91330100799655058B"), "CN-USCC:91330100799655058B");
        for told in ["\"CN-USCI:91330100799655058B\"", "\"CN-USCC:91330100799655058B\""] {
            let code: PartyCode = serde_json::from_str(told).unwrap();
            assert_eq!(serde_json::to_string(&code).unwrap(), told, "the same bytes again");
        }
        assert_eq!(read("CN-ORG:79965505-8"), "CN-ORG:799655058");
    }

    #[test]
    fn codes_and_kinds_are_strings_in_json() {
        let code: PartyCode = serde_json::from_str("\"EU-PIC:998616262\"").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"EU-PIC:998616262\"");
        assert!(serde_json::from_str::<PartyCode>("\"EU-PIC:1\"").is_err());
        assert_eq!(serde_json::to_string(&PartyKind::ParkCommittee).unwrap(), "\"park_committee\"");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(code in "\\PC{0,20}", scheme in "CN-USCC|CN-ORG|GB-COH|\\PC{0,8}") {
            if let Ok(read) = PartyCode::new(&scheme, &code) {
                prop_assert_eq!(PartyCode::parse(&read.to_string()).unwrap(), read);
            }
        }

        #[test]
        fn one_wrong_character_is_always_noticed(position in 0_usize..18, value in 0_usize..31) {
            let mut wrong = "91330100799655058B".to_owned();
            wrong.replace_range(position..=position, &GB_32100_ALPHABET[value..=value]);
            prop_assert_eq!(PartyCode::new("CN-USCC", &wrong).is_ok(), wrong == "91330100799655058B");
        }
    }
}
