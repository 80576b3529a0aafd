//! What a check says: to people as a table, to programs as JSON.

use serde_json::{Value, json};

use super::{Part, Proof};
use crate::errors::CliError;
use crate::output::{Format, count, print_fields, print_json, table};
use crate::progress::seconds;

/// Longest text of a fault in the table; JSON has all of it.
const TEXT_MAX: usize = 300;

/// What no reading of the log can prove. Said each time, so that nobody takes the check for more than it is.
const BEYOND: [(&str, &str); 3] = [
    (
        "that no history was replaced as a whole, or its end lost, in log, stream and projection alike: compare receipts \
         kept outside",
        "日志、消息流与投影是否被整体替换或同时丢失末尾：请与外部留存的回执核对",
    ),
    (
        "that each command was rightly decided: only what came of it is checked",
        "每项决定本身是否正确：仅核对其结果",
    ),
    (
        "stored answers to requests, refusals, snapshots and personal texts, which are no events",
        "请求回执、拒绝记录、快照与个人信息文本，均非事件",
    ),
];

/// Prints the proof.
pub(super) fn print(proof: &Proof, format: Format) {
    match format {
        Format::Json => print_json(&as_json(proof)),
        Format::Table => print_table(proof),
    }
}

fn print_table(proof: &Proof) {
    let mut fields = vec![
        ("log 日志", format!("{}@{} ({})", proof.log, proof.head, proof.source)),
        ("events 事件", format!("{} of {} commands", count(proof.events), count(proof.commands))),
    ];
    if let Some(lines) = proof.lines {
        fields.push(("ledger 账目", format!("{} lines", count(lines))));
    }
    if let Some(stream) = &proof.stream {
        fields.push(("stream 消息流", format!("{}, {} to {}", stream.name, stream.from, stream.to)));
    }
    if let Some(projection) = &proof.projection {
        let rows = count(projection.rows);
        fields.push(("projection 投影", format!("{}@{}, {rows} rows", projection.schema, projection.to)));
    }
    if let Some(answers) = &proof.answers {
        fields.push(("answers 答复", format!("{} balances as of {}", count(answers.balances), answers.to)));
    }
    fields.push(("took 用时", seconds(proof.elapsed)));
    print_fields(&fields);
    for skipped in &proof.not_compared {
        println!("not compared 未核对: {}\n  {}", skipped.why, skipped.why_zh);
    }
    for (english, chinese) in BEYOND {
        println!("beyond this check 不在核对之内: {english}\n  {chinese}");
    }
    print_faults(proof);
}

fn print_faults(proof: &Proof) {
    for (rule, kind) in proof.faults.iter() {
        let (english, chinese) = rule.meaning();
        println!("\n{} ({}): {english}\n{chinese}", rule.code(), count(kind.count));
        let mut table = table(&[">position 位置", "expected 应为", "found 实为"]);
        for fault in &kind.first {
            table.add_row([fault.position.to_string(), shortened(&fault.expected), shortened(&fault.found)]);
        }
        println!("{table}");
        let more = kind.count.saturating_sub(kind.first.len() as u64);
        if more > 0 {
            println!("and {} more 其余 {} 处", count(more), count(more));
        }
    }
    if proof.faults.count() == 0 {
        println!("no fault found 未发现问题");
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn as_json(proof: &Proof) -> Value {
    let faults = proof.faults.iter().map(|(rule, kind)| {
        let (english, chinese) = rule.meaning();
        let first = kind.first.iter().map(
            |fault| json!({"position": fault.position, "expected": fault.expected, "found": fault.found}),
        );
        json!({
            "rule": rule.code(),
            "meaning": english,
            "meaning_zh": chinese,
            "count": kind.count,
            "first": first.collect::<Vec<_>>(),
        })
    });
    let stream = proof.stream.as_ref().map(|it| json!({"name": it.name, "from": it.from, "to": it.to}));
    let projection =
        proof.projection.as_ref().map(|it| json!({"schema": it.schema, "to": it.to, "rows": it.rows}));
    let answers = proof.answers.as_ref().map(|it| json!({"to": it.to, "balances": it.balances}));
    let not_compared = proof.not_compared.iter().map(|skipped| {
        json!({"part": skipped.part.word(), "why": skipped.why, "why_zh": skipped.why_zh, "accepted": skipped.accepted})
    });
    json!({
        "log": proof.log,
        "source": proof.source,
        "head": proof.head,
        "events": proof.events,
        "commands": proof.commands,
        "lines": proof.lines,
        "stream": stream,
        "projection": projection,
        "answers": answers,
        "proved": proof.verdict().is_ok(),
        "faults": faults.collect::<Vec<_>>(),
        "not_compared": not_compared.collect::<Vec<_>>(),
        "beyond": BEYOND.map(|(english, chinese)| json!({"what": english, "what_zh": chinese})),
        "elapsed_ms": u64::try_from(proof.elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}

impl Proof {
    /// Whether everything was proved, but for what was left out with leave.
    ///
    /// # Errors
    /// [`CliError::Faults`] where there are faults, [`CliError::Unproved`] where a part was not compared.
    pub fn verdict(&self) -> Result<(), CliError> {
        let faults = self.faults.count();
        if faults > 0 {
            let rules: Vec<&str> = self.faults.iter().map(|(rule, _)| rule.code()).collect();
            return Err(CliError::Faults { count: faults, rules: rules.join(", ") });
        }
        let open: Vec<&str> = self
            .not_compared
            .iter()
            .filter(|skipped| !skipped.accepted)
            .map(|skipped| skipped.part.word())
            .collect();
        if open.is_empty() { Ok(()) } else { Err(CliError::Unproved(open.join(", "))) }
    }
}

impl Part {
    /// The word for it on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Projection => "projection",
            Self::Answers => "answers",
            Self::AgedOut => "aged-out",
        }
    }
}
