//! Each finding as a sentence, with the figures that it rests on, in English and in Chinese.

use super::{Finding, Rule, rules};
use crate::labels;
use concord_kernel::money::{Amount, Currency};

/// What is found, and what was decided about it that does not cover it, in English and in Chinese.
pub(crate) fn told(finding: &Finding) -> (String, String) {
    let (message, message_zh) = sentence(finding);
    let charged = finding.charged.as_ref().filter(|_| !finding.is_covered());
    let Some((charged, concluded)) = charged.and_then(|one| one.concluded.as_ref().map(|of| (one, of)))
    else {
        return (message, message_zh);
    };
    let (was, was_zh) = if charged.state == rules::DISMISSED {
        ("it was dismissed", "曾认定不成立")
    } else {
        ("its explanation was accepted", "曾认定说明成立")
    };
    let (on, position) = (concluded.on, concluded.position);
    let (then, then_zh) = match concluded.minor.map(|minor| money(finding, minor)) {
        Some(then) => (format!("for {then}"), format!("当时金额{then}")),
        None => ("when there was no such finding".to_owned(), "当时并无此项发现".to_owned()),
    };
    (
        format!("{message}; {was} on {on}, position {position}, {then}"),
        format!("{message_zh}；{on}{was_zh}（序号{position}），{then_zh}"),
    )
}

fn money(finding: &Finding, minor: i64) -> String {
    match Currency::try_from(finding.currency.as_str()) {
        Ok(currency) => Amount::new(minor, currency).to_string(),
        Err(_) => format!("{minor} {}", finding.currency),
    }
}

/// The sentence in English, and in Chinese.
fn sentence(finding: &Finding) -> (String, String) {
    let money = |minor: i64| money(finding, minor);
    let amount = money(finding.amount_minor);
    let [one, other] = finding.figures;
    let (first, second) = (money(one), money(other));
    let word = &finding.word;
    let day = finding.day.map(|day| day.to_string()).unwrap_or_default();
    match (finding.rule, finding.case) {
        (Rule::A03, _) => (
            format!(
                "{amount} of a matching instalment of {first} ({word}) is missing since {day}; {second} has arrived"
            ),
            format!(
                "配套资金（{}）应于{day}到位{first}，已到位{second}，尚缺{amount}",
                labels::matching_source(word)
            ),
        ),
        (Rule::A04, _) => (
            format!("{}.{} % like the live award {word:?}; compare the two projects", one / 10, one % 10),
            format!("与在研项目“{word}”的名称相似度为{}.{}%；请核对是否重复立项", one / 10, one % 10),
        ),
        (Rule::A06, _) => (
            format!(
                "{first} of the settled money was the share of {word} and was to be passed on; {second} was, {amount} was not"
            ),
            format!("按已到账资金应向合作单位{word}转拨{first}，已转拨{second}，尚欠{amount}"),
        ),
        (Rule::A07, "above_ceiling") => (
            format!("{second} was approved, {amount} above the review's ceiling of {first}{}", by(word)),
            format!("立项{second}，超出评审建议上限{first}共{amount}{}", by_zh(word)),
        ),
        (Rule::A07, _) => (
            format!("approved after the project's last day, {day}{}", by(word)),
            format!("立项晚于项目结束日{day}{}", by_zh(word)),
        ),
        (Rule::A09, "category") => (
            format!("{amount} was spent on {word}, which grant money is never spent on"),
            format!("列支{amount}用于不得列支的科目（{}）", labels::category(word)),
        ),
        (Rule::A09, "period") => (
            format!("{amount} was spent on {day}, outside the project's days {word}"),
            format!("{day}支出{amount}，不在项目执行期（{word}）内"),
        ),
        (Rule::A09, _) => (
            format!("items on invoice {word} add up to {first}, its total is {second}: {amount} too much"),
            format!("发票{word}分摊合计{first}，超出票面{second}共{amount}"),
        ),
        (Rule::A10, "not_refunded") => (
            format!("{word} holds {amount} unspent, which was to be given back by {day}"),
            format!("{word}持有结余{amount}，应于{day}前退回，尚未退回"),
        ),
        (Rule::A10, _) => (
            format!("{word} might keep {amount} until {day} and keeps it still; call it back"),
            format!("{word}留用结余{amount}已于{day}到期，应予收回"),
        ),
        (Rule::A11, _) => (
            format!(
                "final acceptance was due {}; the project ended on {day}; contracted {amount}",
                finding.since
            ),
            format!("项目于{day}到期，应于{}前验收，尚未验收；任务书金额{amount}", finding.since),
        ),
        (Rule::A12, "past_end") => (
            format!("{amount} lies with the recipients, and the project ended on {day}"),
            format!("项目已于{day}到期，单位仍持有未用资金{amount}"),
        ),
        (Rule::A12, _) => (
            format!("{amount} lies with the recipients, and nothing has moved since {day}"),
            format!("自{day}以来无收支、无报告，单位仍持有未用资金{amount}"),
        ),
        (Rule::A16, _) => (
            format!("{amount} of a recovery of {first} ({word}) is outstanding since {day}"),
            format!("追缴款{first}（{}）应于{day}前缴清，尚欠{amount}", labels::cause(word)),
        ),
        (Rule::A17, "dated_back") => (
            format!("{word} happened on {day} and was recorded {one} days later"),
            format!("{word}发生于{day}，{one}天后方登记"),
        ),
        (Rule::A17, _) => {
            let (fact, fact_zh) = labels::money_fact(word);
            (
                format!("the {fact} of {amount} of {day}, position {one}, was reversed"),
                format!("{day}的{fact_zh}（序号{one}，{amount}）已冲销更正"),
            )
        }
        (Rule::A18, "charge") => (
            format!("{word} was charged on {day}, and there was no such finding"),
            format!("{day}交办{word}，而当时并无此项发现"),
        ),
        (Rule::A18, "acceptance") => (
            format!("the explanation of {word} was accepted on {day}, and there was no such finding"),
            format!("{day}认定{word}说明成立，而当时并无此项发现"),
        ),
        (Rule::A18, "dismissal") => (
            format!("{word} was dismissed on {day}, and there was no such finding; this hides nothing"),
            format!("{day}认定{word}不成立，而当时并无此项发现；该认定不生效"),
        ),
        (Rule::A18, "amount") => (
            format!("{word} was decided about on {day} as {first}, and was {second}"),
            format!("{day}就{word}作出认定时所列金额为{first}，实为{second}"),
        ),
        (Rule::A18, _) => (
            format!("a meeting set a rule aside: {word}; awarded {amount}"),
            format!("会议特批不适用规则：{word}；立项金额{amount}"),
        ),
    }
}

fn by(minutes: &str) -> String {
    if minutes.is_empty() { String::new() } else { format!(", by the override of {minutes}") }
}

fn by_zh(minutes: &str) -> String {
    if minutes.is_empty() { String::new() } else { format!("，依据特批{minutes}") }
}
