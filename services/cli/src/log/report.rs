//! What a recovery found, and what each way to go on would gain and lose.

use concord_chassis::log::recover::{Difference, Findings, Obstacle, Way};
use serde_json::{Value, json};

use crate::output::{print_fields, table};

/// The ways, each with the flags that choose it.
const WAYS: [(Way, &str); 4] = [
    (Way::AcceptTimeline, "--accept-timeline"),
    (Way::Refill, "--refill-from-stream"),
    (Way::NewGeneration, "--new-generation"),
    (Way::RefillAndNewGeneration, "--refill-from-stream --new-generation"),
];

/// Prints what was found, and the ways to go on where one must be chosen.
pub(super) fn print(findings: &Findings) {
    let identity = &findings.identity;
    print_fields(&[
        ("log 日志", format!("{} (generation {})", identity.name, identity.generation)),
        ("PostgreSQL stored 上次写入", findings.stored.to_string()),
        ("PostgreSQL found 当前", findings.found.to_string()),
        ("head 最新位置", findings.head.to_string()),
        ("stream 消息流", stream(findings)),
        ("compared 已比对", compared(findings)),
        ("only in the stream 仅在消息流", only_in_stream(findings)),
    ]);
    if !findings.needs_recovery() {
        return println!("nothing to recover 无需恢复");
    }
    let mut ways = table(&["way 方式", "gains 得到", "loses 失去", "possible 可行"]);
    for (way, flags) in WAYS {
        let possible = match findings.obstacle(way) {
            None => "yes 是".to_owned(),
            Some(obstacle) => format!("no 否: {obstacle}\n{}", obstacle_zh(obstacle)),
        };
        let (gains, loses) = (gains(findings, way), loses(findings, way));
        ways.add_row([flags.to_owned(), events(gains), events(loses), possible]);
    }
    println!("{ways}");
    println!(
        "What was committed and never published cannot be seen here: asynchronous replication may have lost it.\n\
         已提交但从未发布的事件在此不可见：异步复制可能已将其丢失。"
    );
}

/// The same for programs.
pub(super) fn json(findings: &Findings) -> Value {
    let cluster = |cluster: &concord_chassis::log::Cluster| json!({"system_id": cluster.system_id, "timeline": cluster.timeline});
    let ways = WAYS.map(|(way, flags)| {
        json!({
            "way": way.name(),
            "flags": flags,
            "gains": gains(findings, way),
            "loses": loses(findings, way),
            "obstacle": findings.obstacle(way).map(|obstacle| obstacle.to_string()),
        })
    });
    json!({
        "log": findings.identity.name,
        "log_id": findings.identity.log_id,
        "generation": findings.identity.generation,
        "cluster_stored": cluster(&findings.stored),
        "cluster_found": cluster(&findings.found),
        "head": findings.head,
        "stream": findings.identity.stream(),
        "stream_first": findings.stream.map(|span| span.first),
        "stream_last": findings.stream.map(|span| span.last),
        "equal": findings.overlap.equal,
        "difference": findings.overlap.difference.map(difference),
        "only_in_stream": findings.beyond.events,
        "torn": findings.beyond.torn,
        "behind": findings.beyond.behind,
        "ends_with": findings.beyond.difference.map(difference),
        "needs_recovery": findings.needs_recovery(),
        "ways": ways,
    })
}

/// An obstacle in Chinese.
pub(super) fn obstacle_zh(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Differs(difference) => {
            format!("PostgreSQL 与消息流在位置 {} 不一致，不能互相补全", difference.position())
        }
        Obstacle::NothingCompared => "PostgreSQL 与消息流没有共同的位置，无法证明二者同属一个日志".to_owned(),
        Obstacle::StreamAhead(events) => format!("消息流有 {events} 个事件是 PostgreSQL 没有的：确有丢失"),
        Obstacle::TornCommand(events) => {
            format!("消息流止于一次操作的中途，其前 {events} 个事件不能单独成立：请补回并开启新一代")
        }
        Obstacle::OutOfReach { difference, behind } => {
            format!(
                "消息流在位置 {} 中断，其后还有 {behind} 个事件：请补回并开启新一代",
                difference.position()
            )
        }
        Obstacle::NothingToAccept => "日志仍在上次写入的 PostgreSQL 上，无需确认".to_owned(),
    }
}

/// Events that a way brings back to PostgreSQL.
fn gains(findings: &Findings, way: Way) -> u64 {
    if way.refills() { findings.beyond.events } else { 0 }
}

/// Events of the stream that the log does not have after it.
fn loses(findings: &Findings, way: Way) -> u64 {
    match findings.overlap.difference {
        // What the stream has from there on is another history, and stays outside.
        Some(Difference::OtherEvent(position)) => (findings.stream_last() + 1).saturating_sub(position),
        _ => findings.only_in_stream() - gains(findings, way),
    }
}

fn events(number: u64) -> String {
    if number == 0 { "none known 无".to_owned() } else { format!("{number} event(s) 个事件") }
}

fn stream(findings: &Findings) -> String {
    let name = findings.identity.stream();
    match findings.stream {
        Some(span) => format!("{name}, {} to {}", span.first, span.last),
        None => format!("{name} has nothing 为空"),
    }
}

fn compared(findings: &Findings) -> String {
    let equal = findings.overlap.equal;
    match findings.overlap.difference {
        None if equal == 0 => "nothing to compare 无可比对".to_owned(),
        None => format!("{equal} positions, all equal 全部一致"),
        Some(found) => {
            format!("{equal} positions equal, then at {}: {} 不一致", found.position(), kind(found))
        }
    }
}

fn only_in_stream(findings: &Findings) -> String {
    let beyond = &findings.beyond;
    let mut text = format!("{} event(s)", beyond.events);
    if beyond.torn > 0 {
        text.push_str(&format!(", and {} of a command that is not all there 及残缺操作的事件", beyond.torn));
    }
    if let Some(found) = beyond.difference {
        let behind = beyond.behind;
        text.push_str(&format!(
            "; then at {}: {}, and {behind} event(s) behind",
            found.position(),
            kind(found)
        ));
    }
    text
}

fn difference(difference: Difference) -> Value {
    json!({"position": difference.position(), "kind": kind(difference)})
}

fn kind(difference: Difference) -> &'static str {
    match difference {
        Difference::OtherEvent(_) => "another event of this log",
        Difference::Stray(_) => "no event of this log",
        Difference::Missing(_) => "nothing",
    }
}
