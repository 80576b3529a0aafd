//! What a check can find: the rules, and the faults against them.

use std::collections::BTreeMap;
use std::fmt::Display;

/// Faults of one rule that are kept in full; further ones are counted.
pub const SHOWN_MAX: usize = 20;
/// Bytes of a text that are shown before the first that differs, and from it on.
const EXCERPT_BEFORE: usize = 40;
/// See [`EXCERPT_BEFORE`].
const EXCERPT_AFTER: usize = 120;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $english:literal, $chinese:literal;)*) => {
        /// What must hold. The code is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $($(#[$doc])* $name,)* }

        impl Rule {
            /// Stable code, for programs.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What must hold, in English and in Chinese.
            #[must_use]
            pub fn meaning(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($english, $chinese),)* }
            }
        }
    };
}

rules! {
    /// The log ends before the head that its service vouches for.
    LogEndsEarly, "LOG_ENDS_EARLY", "the log reaches the head that its service states", "日志应到达服务所称的最新位置";
    /// A position is missing, comes twice or out of order.
    PositionGap, "POSITION_GAP", "positions run 1, 2, 3 … without a gap", "位置应连续无缺";
    /// A document calls itself another position.
    PositionAttribute, "POSITION_ATTRIBUTE", "a document names the position that it is at", "文档所记位置应与其所在位置一致";
    /// A document is no event of this language.
    DocumentUnreadable, "DOCUMENT_UNREADABLE", "a document reads as an event", "文档应可读作事件";
    /// A document says something that its event type does not know.
    DocumentForm, "DOCUMENT_FORM", "a document says what its event says, and nothing else", "文档内容应与其事件类型相符，不多不少";
    /// An event belongs to another log.
    Source, "SOURCE", "every event is of this log, in order of its generations", "事件应属于本日志，且代次依次递增";
    /// The attributes that are the same for every event are not.
    Envelope, "ENVELOPE", "specversion is 1.0 and the content is JSON", "specversion 应为 1.0，内容应为 JSON";
    /// An event was recorded before the one that it follows.
    TimeBack, "TIME_BACK", "recording times never go back", "记录时间不得倒退";
    /// Two events have one id.
    IdRepeated, "ID_REPEATED", "every event has an id of its own", "事件编号应唯一";
    /// The stream that a document names is not that of its event.
    Subject, "SUBJECT", "a document names the aggregate that its event is about", "文档主体应与事件主体一致";
    /// A stream's versions do not run without a gap.
    Version, "VERSION", "versions of an aggregate run 1, 2, 3 … without a gap", "同一主体的版本应连续无缺";
    /// The chain of positions of one event type is broken.
    PreviousOfType, "PREVIOUS_OF_TYPE", "an event names the position of the one of its type before it", "事件应记明前一同类事件的位置";
    /// A request id comes back after another command.
    RequestIdReused, "REQUEST_ID_REUSED", "the events of a request stand together, and no other command has its id", "同一请求的事件应相邻，请求号不得重用";
    /// Two events of one request have different bodies.
    BodyHash, "BODY_HASH", "events of one request have one body", "同一请求的事件应出自同一请求内容";
    /// The events of one request do not agree on the last of them.
    CommandLast, "COMMAND_LAST", "the events of a request name the last one of them", "同一请求的各事件应记明其最后一个事件的位置";
    /// The lines of an event do not add up to zero.
    SetUnbalanced, "SET_UNBALANCED", "the postings of an event add up to zero", "每笔分录借贷应平衡";
    /// An account that holds money holds less than nothing.
    AccountNegative, "ACCOUNT_NEGATIVE", "no account of the chain falls below zero", "各账户余额不得为负";
    /// What was appropriated, or pledged to match, is not what the accounts hold.
    ChainUnbalanced, "CHAIN_UNBALANCED", "what was appropriated equals the sum of all other accounts, and what was pledged to match the sum of the matching ones", "拨款总额应等于其余账户之和，配套承诺应等于待到位与已到位之和";
    /// A programme's money changed its currency.
    Currency, "CURRENCY", "a programme has one currency for good", "年度计划的币种不得变更";
    /// A grant moved to other money, or was never opened.
    GrantFacts, "GRANT_FACTS", "a grant keeps the programme, currency, mode and region that it was opened with", "项目的计划、币种、方式与地区应与立项时一致";
    /// More was taken than a sub-limit allows.
    LimitExceeded, "LIMIT_EXCEEDED", "a sub-limit is never exceeded", "分项限额不得突破";
    /// A grant that was on hold was paid further, or resumed with a cause left.
    ActedOnHold, "ACTED_ON_HOLD", "a grant on hold asks for no money and is paid none, and is resumed with no agreement lost", "暂停的项目不得申请、审批、拨付，依托协议失效未消除的不得恢复";
    /// The bank was instructed without the agreement that backs the grant, or under an old word of it.
    PaidWithoutBacking, "PAID_WITHOUT_BACKING", "money leaves only under the agreement that its grant names, in force as last learned", "拨款须依据项目所指明且当时有效的依托协议";
    /// Something older was learned of an agreement after something newer.
    BackingBack, "BACKING_BACK", "what is learned of an agreement never goes back", "对依托协议的记载不得倒退";
    /// There is no stream.
    StreamAbsent, "STREAM_ABSENT", "the stream exists", "消息流应存在";
    /// The stream did not reach the head in time.
    StreamBehind, "STREAM_BEHIND", "the stream reaches the head", "消息流应到达最新位置";
    /// The stream goes on where the log has ended.
    StreamBeyond, "STREAM_BEYOND", "the stream holds nothing beyond the log's head", "消息流不得超出日志";
    /// The stream lacks a message.
    StreamMissing, "STREAM_MISSING", "every event is in the stream at its position", "每个事件应在消息流的相应序号";
    /// A message is not the event at its position.
    StreamDiffers, "STREAM_DIFFERS", "a message is its event, byte for byte", "消息应与事件逐字节一致";
    /// A message was published where nobody expects it.
    StreamSubject, "STREAM_SUBJECT", "a message is on the subject of its event", "消息主题应与事件相符";
    /// The funding audit does not answer for the head in time.
    AnswersBehind, "ANSWERS_BEHIND", "the funding audit answers for the head", "资金审计应能就最新位置作答";
    /// A balance is not what the postings come to.
    AnswerDiffers, "ANSWER_DIFFERS", "every balance answered is the sum of its postings", "所答余额应等于其分录之和";
    /// There is no projection.
    ProjectionAbsent, "PROJECTION_ABSENT", "the projection exists", "投影应存在";
    /// The projection was built from another log.
    ProjectionOtherLog, "PROJECTION_OTHER_LOG", "the projection was built from this log", "投影应出自本日志";
    /// The projection did not reach the head in time.
    ProjectionBehind, "PROJECTION_BEHIND", "the projection reaches the head", "投影应到达最新位置";
    /// The projection says that it has applied what the log does not have.
    ProjectionBeyond, "PROJECTION_BEYOND", "the projection has applied nothing beyond the log's head", "投影不得超出日志";
    /// The log cannot be folded by the projection.
    ProjectionRefold, "PROJECTION_REFOLD", "the log can be folded into the projection", "日志应可重算为投影";
    /// A row is missing.
    RowMissing, "ROW_MISSING", "the projection has every row that the log makes", "投影不得缺行";
    /// A row is there that no event makes, or twice.
    RowSurplus, "ROW_SURPLUS", "the projection has no row that the log does not make", "投影不得多行";
    /// A row is not as its event makes it.
    RowAltered, "ROW_ALTERED", "every row is as its event makes it", "投影各行应与日志重算一致";
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Position of the event, or sequence of the message, that it shows at.
    pub position: u64,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// The faults of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kind {
    /// How many there are.
    pub count: u64,
    /// The first of them, at most [`SHOWN_MAX`].
    pub first: Vec<Fault>,
}

/// All faults found, by rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(BTreeMap<Rule, Kind>);

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, rule: Rule, position: u64, expected: impl Display, found: impl Display) {
        let kind = self.0.entry(rule).or_default();
        kind.count += 1;
        if kind.first.len() < SHOWN_MAX {
            kind.first.push(Fault { position, expected: expected.to_string(), found: found.to_string() });
        }
    }

    /// Notes a fault where the two differ.
    pub fn compare<T: PartialEq + Display>(&mut self, rule: Rule, position: u64, expected: T, found: T) {
        if expected != found {
            self.add(rule, position, expected, found);
        }
    }

    /// Notes a fault where the two documents differ by any byte, and shows what each has there.
    pub fn differ(&mut self, rule: Rule, position: u64, expected: &[u8], found: &[u8]) {
        if expected != found {
            let at = expected.iter().zip(found).take_while(|(one, other)| one == other).count();
            self.add(rule, position, excerpt(expected, at), excerpt(found, at));
        }
    }

    /// Notes faults that were counted elsewhere and are not described.
    pub fn add_more(&mut self, rule: Rule, count: u64) {
        self.0.entry(rule).or_default().count += count;
    }

    /// Takes in what another part of the check has found.
    pub fn merge(&mut self, other: Self) {
        for (rule, more) in other.0 {
            let kind = self.0.entry(rule).or_default();
            kind.count += more.count;
            let room = SHOWN_MAX.saturating_sub(kind.first.len());
            kind.first.extend(more.first.into_iter().take(room));
        }
    }

    /// How many there are, of all rules.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|kind| kind.count).sum()
    }

    /// The broken rules and their faults.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, &Kind)> {
        self.0.iter().map(|(rule, kind)| (*rule, kind))
    }
}

/// What stands around a byte of a document; the whole of it would hide the place.
fn excerpt(document: &[u8], at: usize) -> String {
    let from = at.saturating_sub(EXCERPT_BEFORE);
    let to = at.saturating_add(EXCERPT_AFTER).min(document.len());
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < document.len() { "…" } else { "" });
    format!("from byte {at}: {before}{}{after}", String::from_utf8_lossy(&document[from..to]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_all_counted_and_the_first_are_kept() {
        let mut faults = Faults::default();
        for position in 1..=30 {
            faults.compare(Rule::Version, position, 1, 2);
            faults.compare(Rule::Version, position, 2, 2);
        }
        let mut more = Faults::default();
        more.add(Rule::Version, 31, 1, 2);
        faults.merge(more);
        let kinds: Vec<_> = faults.iter().map(|(rule, kind)| (rule, kind.count, kind.first.len())).collect();
        assert_eq!(kinds, [(Rule::Version, 31, SHOWN_MAX)]);
    }

    #[test]
    fn documents_that_differ_are_shown_where_they_do() {
        let text = |word: &str| format!("{}{word}{}", "前".repeat(50), "后".repeat(100));
        let mut faults = Faults::default();
        faults.differ(Rule::StreamDiffers, 7, text("中试").as_bytes(), text("中式").as_bytes());
        faults.differ(Rule::StreamDiffers, 8, b"same", b"same");
        faults.differ(Rule::StreamDiffers, 9, b"short", b"shorter");
        // What no text can show is a difference all the same.
        faults.differ(Rule::StreamDiffers, 10, "\u{fffd}".as_bytes(), &[0xff]);
        let told: Vec<Fault> = faults.iter().flat_map(|(_, kind)| kind.first.clone()).collect();
        assert_eq!(told.len(), 3);
        assert!(told[0].expected.starts_with("from byte 153: …") && told[0].expected.contains("中试后"));
        assert!(told[0].found.contains("中式后") && told[0].found.ends_with('…'));
        assert_eq!((&*told[1].expected, &*told[1].found), ("from byte 5: short", "from byte 5: shorter"));
    }
}
