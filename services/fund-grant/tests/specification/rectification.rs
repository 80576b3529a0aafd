//! Rectifications 整改.

use crate::{
    life::{university, with_partner},
    recovery::{OTHER, RECOVERY, recovery_story},
    stages,
    world::*,
};
use concord_events::fund::{FindingKey, FundEvent};
use concord_fund_grant::{
    Command,
    rectification::{Charge, Conclusion, RectificationCommand, id_of},
};
use concord_kernel::{Date, id::RectificationId};
use jiff::civil::date;
use uuid::Uuid;

pub fn finding() -> FindingKey {
    key("A06", &format!("{GRANT}/share/{}", lead().party))
}

fn key(rule: &str, subject: &str) -> FindingKey {
    FindingKey { rule: rule.to_owned(), subject: subject.to_owned(), position: 3 }
}

fn charge() -> Charge {
    Charge {
        finding: finding(),
        grant: Some(GRANT),
        owner: "the-university".to_owned(),
        deadline: date(2013, 6, 30),
        task: "pass the share on".to_owned(),
    }
}

fn asked(command: RectificationCommand) -> Order {
    order(march(31), "inspector", Command::Rectification(id_of(&finding()), command))
}

fn assign(charge: Charge) -> Order {
    asked(RectificationCommand::Assign(charge))
}

fn explain(explanation: &str) -> Order {
    asked(RectificationCommand::Explain { explanation: explanation.to_owned() })
        .by("applicant", "the-university")
}

fn rectify(evidence: &str) -> Order {
    asked(RectificationCommand::Conclude(Conclusion::Rectified { evidence: evidence.to_owned() }))
}

fn accept(reason: &str) -> Order {
    let (minutes, reason) = ("2013-F1".to_owned(), reason.to_owned());
    asked(RectificationCommand::Conclude(Conclusion::Accepted { minutes, reason, seen: None }))
}

fn dismiss(reason: &str) -> Order {
    let (minutes, reason) = ("2013-F1".to_owned(), reason.to_owned());
    asked(RectificationCommand::Conclude(Conclusion::Dismissed { minutes, reason, seen: None }))
}

pub fn orders(until: &str) -> Vec<Order> {
    let assigned = || [assign(charge())].into_iter();
    let explained = || assigned().chain([explain("the bank was closed")]);
    let orders: Vec<Order> = match until {
        "absent" => Vec::new(),
        "assigned" => assigned().collect(),
        "explained" => explained().collect(),
        "rectified" => explained().chain([rectify("t-1")]).collect(),
        "accepted" => explained().chain([accept("it was")]).collect(),
        "dismissed" => explained().chain([dismiss("no share was due")]).collect(),
        other => panic!("there is no state {other}"),
    };
    story("contracted").into_iter().chain(orders).collect()
}

const ROWS: [&str; 6] = ["absent", "assigned", "explained", "rectified", "accepted", "dismissed"];
const COLUMNS: [&str; 5] = ["assign", "explain", "rectify", "accept", "dismiss"];

const AS_IN_THE_STORY: &str = "
             assign explain rectify accept dismiss
absent         +       ?       ?      ?       ?
assigned       =       +       +      w       +
explained      =       =       +      +       +
rectified      =       =       =      d       d
accepted       =       =       d      =       d
dismissed      =       =       d      d       =
";

const OTHERWISE: &str = "
             assign explain rectify accept dismiss
absent         +       ?       ?      ?       ?
assigned       d       +       +      w       +
explained      d       d       +      +       +
rectified      +       d       d      d       d
accepted       +       d       d      d       d
dismissed      +       d       d      d       d
";

fn column(column: &str, otherwise: bool) -> (Order, &'static str) {
    let other = |same: Order, another: Order| if otherwise { another } else { same };
    match column {
        "assign" => {
            let another = Charge { owner: "somebody-else".to_owned(), ..charge() };
            (other(assign(charge()), assign(another)), "RectificationAssigned")
        }
        "explain" => (other(explain("the bank was closed"), explain("no money")), "RectificationExplained"),
        "rectify" => (other(rectify("t-1"), rectify("t-2")), "FindingRectified"),
        "accept" => (other(accept("it was"), accept("indeed")), "FindingAccepted"),
        "dismiss" => (other(dismiss("no share was due"), dismiss("an error")), "FindingDismissed"),
        other => panic!("there is no command {other}"),
    }
}

#[test]
fn a_rectification_answers_every_command() {
    let world = |row: &str| World::after(orders(row));
    stages::check(AS_IN_THE_STORY, &ROWS, &COLUMNS, world, |name| column(name, false));
    stages::check(OTHERWISE, &ROWS, &COLUMNS, world, |name| column(name, true));
}

#[test]
fn a_finding_that_was_concluded_without_a_word_is_explained_no_more() {
    let world = World::after(orders("assigned").into_iter().chain([dismiss("an error")]));
    assert_eq!(world.outcome(&explain("x")), "WRONG_RECTIFICATION_STATE");
}

#[test]
fn a_charge_has_a_cause_on_record_and_time_to_be_met() {
    let world = World::after(story("contracted"));
    let at = |position| Charge { finding: FindingKey { position, ..finding() }, ..charge() };
    let by = |deadline: Date| Charge { deadline, ..charge() };
    let rows = [
        ("of the last event", assign(at(world.head())), "RectificationAssigned"),
        ("of one that is not there yet", assign(at(world.head() + 1)), "FINDING_AHEAD_OF_LOG"),
        ("by the day itself", assign(by(march(31))), "RectificationAssigned"),
        ("by the day before", assign(by(march(30))), "DEADLINE_PASSED"),
        ("about no grant", assign(Charge { grant: None, ..charge() }), "RectificationAssigned"),
        (
            "about another grant than its subject",
            assign(Charge { grant: Some(OTHER), ..charge() }),
            "FINDING_OF_ANOTHER_GRANT",
        ),
        ("by the one it is about", assign(charge()).by("x", "the-university"), "A13_APPLICANT_IN_OFFICE"),
        ("thirty days back", assign(charge()).learned_on(date(2013, 4, 30)), "RectificationAssigned"),
        ("thirty-one", assign(charge()).learned_on(date(2013, 5, 1)), "EFFECTIVE_TOO_FAR_BACK"),
    ];
    for (says, order, then) in rows {
        assert_eq!(world.outcome(&order), then, "{says}");
    }
    let broken = &world.refusal(&assign(by(march(30))))[0];
    assert_eq!((broken.field.as_str(), broken.facts["deadline"].as_str()), ("deadline", "2013-03-30"));
}

#[test]
fn the_office_accepts_and_dismisses_and_no_step_goes_back() {
    let world = World::after(orders("explained"));
    let own = |order: Order| order.by("applicant", "the-university");
    assert_eq!(world.outcome(&own(accept("x"))), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(world.outcome(&own(dismiss("x"))), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(world.outcome(&own(rectify("t-1"))), "FindingRectified");
    let early = Order { on: march(30), ..accept("x") };
    assert_eq!(world.outcome(&early), "STEP_BEFORE_THE_LAST");
    // So does one that is about no grant.
    let about_none = Charge { grant: None, ..charge() };
    let world = World::after(story("contracted").into_iter().chain([assign(about_none), explain("x")]));
    assert_eq!(world.outcome(&early), "STEP_BEFORE_THE_LAST");
    assert_eq!(world.outcome(&accept("x")), "FindingAccepted");
}

#[test]
fn one_finding_has_one_rectification() {
    let other = FindingKey { position: 4, ..finding() };
    assert_eq!(id_of(&finding()), id_of(&finding()));
    assert_ne!(id_of(&finding()), id_of(&other));
    let answer = World::after(story("contracted"))
        .decide(&concord_fund_grant::Fund::shipped(), &assign(charge()))
        .unwrap()
        .answer;
    assert_eq!(answer["rectification_id"], id_of(&finding()).to_string());
}

/// A charge with the finding of this key, which names the grant or leaves it out.
fn of(finding: FindingKey, names_the_grant: bool) -> Order {
    let grant = names_the_grant.then_some(GRANT);
    let id = id_of(&finding);
    let charge = Charge { finding, grant, ..charge() };
    Order {
        command: Command::Rectification(id, RectificationCommand::Assign(charge)),
        ..assign(self::charge())
    }
}

#[test]
fn a_charge_without_its_grant_asks_as_much_as_one_with_it() {
    let world = World::after(story("contracted"));
    for names_the_grant in [true, false] {
        let applicant = of(finding(), names_the_grant).by("x", "the-university");
        assert_eq!(world.outcome(&applicant), "A13_APPLICANT_IN_OFFICE", "{names_the_grant}");
        let mut charged = world.clone();
        let events = charged.execute(&of(finding(), names_the_grant)).unwrap();
        let [FundEvent::RectificationAssigned { grant, .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(*grant, Some(GRANT), "the subject says which");
    }
}

#[test]
fn one_finding_is_charged_once_however_its_key_is_written() {
    let right = finding();
    let lead = lead().party;
    let spelled = [
        key("a06", &right.subject),
        key(" A06 ", &format!(" {GRANT} / Share/{lead} ")),
        key("A06", &right.subject.to_uppercase()),
        key("A06", &format!("/{}//share/{lead}", GRANT.0.simple())),
    ];
    let written = |finding: FindingKey| {
        // A request is stored with the id of the key as it was written.
        let id = RectificationId::derived("finding", &format!("{}|{}|3", finding.rule, finding.subject));
        let charge = Charge { finding, ..charge() };
        Order {
            command: Command::Rectification(id, RectificationCommand::Assign(charge)),
            ..assign(self::charge())
        }
    };
    for other in spelled {
        assert_eq!(id_of(&other), id_of(&right), "{other:?}");
        let mut first = World::after(story("contracted"));
        let events = first.execute(&written(other.clone())).unwrap();
        let [FundEvent::RectificationAssigned { rectification, finding, .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!((*rectification, finding), (id_of(&right), &right), "recorded in its one spelling");
        let second = World::after(orders("assigned"));
        assert_eq!(second.outcome(&written(other.clone())), "unchanged", "{other:?}");
        // And dismissed it is not charged under another spelling as if it were new.
        let over = World::after(orders("dismissed"));
        assert_eq!(over.outcome(&written(other)), "unchanged");
    }
}

#[test]
fn a_subject_names_a_thing_of_its_rules_kind_that_is_on_record() {
    let world = World::after(recovery_story("demanded"));
    let none = Uuid::from_u128(0xFF);
    let (rectification, lead) = (id_of(&finding()), lead().party);
    let about_rectification = format!("rectification/{rectification}");
    let rows: [(&str, String, &str); 17] = [
        ("A03", format!("{GRANT}/source/1/1"), "RectificationAssigned"),
        ("A03", format!("{none}/source/1/1"), "FINDING_SUBJECT_NOT_FOUND"),
        ("A03", format!("{PROGRAMME}/source/1/1"), "FINDING_SUBJECT_NOT_FOUND"),
        ("A03", format!("recovery/{RECOVERY}"), "NO_SUBJECT_OF_THE_RULE"),
        ("A03", format!("{GRANT}"), "NO_SUBJECT_OF_THE_RULE"),
        ("A03", "elsewhere".to_owned(), "NO_SUBJECT_OF_THE_RULE"),
        ("A03", format!("{lead}/share/1"), "FINDING_SUBJECT_NOT_FOUND"),
        ("A04", format!("{GRANT}/similar/{OTHER}"), "RectificationAssigned"),
        ("A04", format!("{GRANT}/similar/{none}"), "FINDING_SUBJECT_NOT_FOUND"),
        ("A04", format!("{GRANT}/source/1"), "NO_SUBJECT_OF_THE_RULE"),
        ("A16", format!("recovery/{RECOVERY}"), "RectificationAssigned"),
        ("A16", format!("recovery/{GRANT}"), "FINDING_SUBJECT_NOT_FOUND"),
        ("A16", format!("{GRANT}/recovery/{RECOVERY}"), "NO_SUBJECT_OF_THE_RULE"),
        ("A17", format!("{PROGRAMME}/late/1"), "RectificationAssigned"),
        ("A17", format!("{none}/late/1"), "FINDING_SUBJECT_NOT_FOUND"),
        ("A18", about_rectification.clone(), "FINDING_SUBJECT_NOT_FOUND"),
        ("A06", about_rectification.clone(), "NO_SUBJECT_OF_THE_RULE"),
    ];
    for (rule, subject, then) in rows {
        assert_eq!(world.outcome(&of(key(rule, &subject), false)), then, "{rule} {subject}");
    }
    // The grant that is named has to be the subject's own.
    let of_recovery = || key("A16", &format!("recovery/{RECOVERY}"));
    let of_programme = || key("A17", &format!("{PROGRAMME}/late/1"));
    assert_eq!(world.outcome(&of(of_recovery(), true)), "RectificationAssigned");
    assert_eq!(world.outcome(&of(of_programme(), true)), "FINDING_OF_ANOTHER_GRANT");
    // Once somebody was charged, that is a subject too.
    let charged = World::after(orders("assigned"));
    assert_eq!(charged.outcome(&of(key("A18", &about_rectification), true)), "RectificationAssigned");
}

#[test]
fn who_is_concerned_does_not_decide() {
    let world = World::after(recovery_story("demanded"));
    let recovery = || of(key("A16", &format!("recovery/{RECOVERY}")), false);
    let pair = || of(key("A04", &format!("{OTHER}/similar/{GRANT}")), false);
    let of_lead = lead().code.to_string();
    let rows = [
        (recovery().by("x", "the-university"), "A13_APPLICANT_IN_OFFICE"),
        (recovery().by("x", &of_lead), "A13_APPLICANT_IN_OFFICE"),
        (recovery().by("x", &lead().party.to_string()), "A13_APPLICANT_IN_OFFICE"),
        (recovery().by("x", "CN-USCC:9144030071526726XG"), "RectificationAssigned"),
        // The other grant of the pair is the applicant's.
        (pair().by("x", "the-university"), "A13_APPLICANT_IN_OFFICE"),
        (pair(), "RectificationAssigned"),
    ];
    for (order, then) in rows {
        assert_eq!(world.outcome(&order), then, "{order:?}");
    }
    // Nor does a partner.
    let (shared, partner) = (with_partner(), university());
    for organisation in [partner.code.to_string(), partner.party.to_string()] {
        let by_partner = assign(charge()).by("x", &organisation);
        assert_eq!(shared.outcome(&by_partner), "A13_PARTY_IN_OFFICE", "{organisation}");
    }
    // Nor does the owner, be it a person, an organisation or both, in whatever case.
    let charged = |owner: &str| {
        let owner = owner.to_owned();
        let assigned = assign(Charge { owner, ..charge() }).by("auditor", "audit-office");
        World::after(story("contracted").into_iter().chain([assigned]))
    };
    let world = World::after(story("contracted"));
    let itself = assign(Charge { owner: "Funding-Office".to_owned(), ..charge() });
    assert_eq!(world.outcome(&itself), "A13_OWNER_DECIDES", "nobody charges itself");
    for owner in ["inspector", "funding-office", "Inspector@Funding-Office"] {
        let world = charged(owner);
        let by_owner = |order: Order| order.by("inspector", "funding-office");
        assert_eq!(world.outcome(&by_owner(dismiss("none"))), "A13_OWNER_DECIDES", "{owner}");
        assert_eq!(world.outcome(&by_owner(rectify("t-1"))), "FindingRectified", "{owner}");
        assert_eq!(world.outcome(&by_owner(explain("so"))), "RectificationExplained", "{owner}");
        assert_eq!(world.outcome(&dismiss("none").by("auditor", "audit-office")), "FindingDismissed");
    }
}

#[test]
fn an_explanation_is_its_owners() {
    let world = World::after(orders("assigned"));
    for (actor, organisation) in [("inspector", "funding-office"), ("x", "another-university")] {
        assert_eq!(world.outcome(&explain("x").by(actor, organisation)), "NOT_THE_OWNER", "{actor}");
    }
    // What was put right is said by the owner or by who may decide, not by somebody else whom it concerns.
    let charge = Charge { owner: "city-bureau".to_owned(), ..charge() };
    let world = World::after(story("contracted").into_iter().chain([assign(charge)]));
    assert_eq!(world.outcome(&rectify("t-1").by("x", "the-university")), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(world.outcome(&rectify("t-1").by("x", "city-bureau")), "FindingRectified");
    assert_eq!(world.outcome(&rectify("t-1")), "FindingRectified");
    let stranger = &world.refusal(&explain("x"))[0];
    assert_eq!(
        (stranger.facts["owner"].as_str(), stranger.facts["actor"].as_str()),
        ("city-bureau", "applicant@the-university")
    );
}

#[test]
fn a_concluded_finding_that_is_there_again_is_assigned_anew() {
    for concluded in ["rectified", "accepted", "dismissed"] {
        let mut world = World::after(orders(concluded));
        let anew = Charge { deadline: date(2013, 9, 30), ..charge() };
        assert_eq!(world.outcome(&assign(charge())), "unchanged", "{concluded}");
        let own = assign(anew.clone()).by("x", "the-university");
        assert_eq!(world.outcome(&own), "A13_APPLICANT_IN_OFFICE", "{concluded}");
        world.execute(&assign(anew.clone())).unwrap();
        let known = world.rectification(id_of(&finding()));
        assert_eq!((known.words().0, known.charge.deadline), ("assigned", date(2013, 9, 30)));
        assert_eq!(world.outcome(&assign(anew)), "unchanged");
        assert_eq!(world.outcome(&dismiss("no share was due")), "FindingDismissed");
    }
}

#[test]
fn who_decides_may_say_what_they_saw() {
    let saw = |minor| {
        let (minutes, reason) = ("2013-F1".to_owned(), "no share was due".to_owned());
        asked(RectificationCommand::Conclude(Conclusion::Dismissed {
            minutes,
            reason,
            seen: Some(cny(minor)),
        }))
    };
    let mut world = World::after(orders("explained"));
    let events = world.execute(&saw(500)).unwrap();
    let [FundEvent::FindingDismissed { seen, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*seen, Some(cny(500)));
    assert_eq!(world.outcome(&saw(500)), "unchanged");
    for otherwise in [saw(501), dismiss("no share was due")] {
        assert_eq!(world.outcome(&otherwise), "FINDING_ALREADY_CONCLUDED");
    }
    // A command that was stored before is read as one that does not say it.
    let stored = r#"{"dismissed":{"minutes":"2013-F1","reason":"none"}}"#;
    let read: Conclusion = serde_json::from_str(stored).unwrap();
    assert!(matches!(read, Conclusion::Dismissed { seen: None, .. }));
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
}

#[test]
fn what_was_assigned_before_subjects_were_looked_at_is_still_concluded() {
    let old = |subject: &str, grant| {
        let finding = key("A03", subject);
        let id = RectificationId::derived("finding", &format!("A03|{subject}|3"));
        let mut world = World::after(story("contracted"));
        let owner = "the-university".to_owned();
        let assigned = FundEvent::RectificationAssigned {
            rectification: id,
            finding,
            grant,
            owner,
            deadline: date(2013, 6, 30),
            task: "x".to_owned(),
        };
        world.happened(assigned, march(31));
        let conclude = |organisation: &str| {
            let (minutes, reason, seen) = ("m".to_owned(), "r".to_owned(), None);
            let dismissed = RectificationCommand::Conclude(Conclusion::Dismissed { minutes, reason, seen });
            order(march(31), "x", Command::Rectification(id, dismissed)).by("x", organisation)
        };
        (world.outcome(&conclude("the-university")), world.outcome(&conclude("audit-office")))
    };
    let right = format!("{GRANT}/source/1/1");
    let rows = [
        // Without its grant, which its subject names.
        (right.clone(), None, "A13_APPLICANT_IN_OFFICE"),
        // With another one: its subject counts.
        (right.clone(), Some(OTHER), "A13_APPLICANT_IN_OFFICE"),
        // Spelled otherwise: nothing but its owner and the grant that it names is known of it.
        (format!("{{{GRANT}}}/source/1/1"), Some(GRANT), "A13_APPLICANT_IN_OFFICE"),
        ("elsewhere".to_owned(), None, "A13_OWNER_DECIDES"),
    ];
    for (subject, grant, then) in rows {
        assert_eq!(
            old(&subject, grant),
            (then.to_owned(), "FindingDismissed".to_owned()),
            "{subject} {grant:?}"
        );
    }
}

#[test]
fn rectifications_read_back_from_their_json() {
    for row in ROWS {
        let mut world = World::default();
        for order in orders(row) {
            let json = serde_json::to_string(&order.command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
            world.execute(&order).unwrap();
        }
        let json = serde_json::to_string(&world).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
    }
}
