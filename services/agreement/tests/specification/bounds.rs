//! How much there may be: what is within the bounds fits an event of the log, and each bound just inside and just outside.

use crate::world::*;
use concord_agreement::{
    agreement::{
        draft::{Draft, DraftParty},
        work::WorkCommand,
    },
    bounds::*,
    party::{PartyCommand, Recording},
};
use concord_chassis::record::{self, Envelope};
use concord_events::{
    agreement::{ActionItem, AgreementEvent, Changes, ControlKind, MeetingKind, Obligation, Register, Role},
    document::{Document, Sha256},
};
use concord_kernel::{
    Date,
    id::OrganisationId,
    party::{PartyCode, PartyId, PartyKind},
};
use jiff::{ToSpan, civil::date};
use uuid::Uuid;

/// What the log takes of one event.
const EVENT_BYTES_MAX: usize = 256 << 10;

/// The largest document around an event: a quotation mark takes two bytes of JSON, and no character takes more for one.
fn stored_bytes(event: &AgreementEvent) -> usize {
    use concord_chassis::edge::{ATTACHMENTS_MAX, ID_BYTES_MAX, TEXT_BYTES_MAX};
    let (id, text) = ("\"".repeat(ID_BYTES_MAX), "\"".repeat(TEXT_BYTES_MAX));
    let (sha256, number) = ("f".repeat(64), u64::MAX);
    let envelope = Envelope {
        specversion: "1.0".into(),
        id: Uuid::max(),
        source: format!("/concord/{id}/agreement/{number}").into(),
        event_type: "concord.agreement.v1.AgreementAmended".into(),
        subject: format!("agreement/{}", Uuid::max()).into(),
        time: jiff::Timestamp::UNIX_EPOCH,
        datacontenttype: "application/json".into(),
        position: number,
        version: number,
        previousoftype: number,
        effectiveon: JUNE,
        rulebook: text.as_str().into(),
        termsrulebook: Some(text.as_str().into()),
        actor: id.as_str().into(),
        actororg: id.as_str().into(),
        assurance: "authenticated".into(),
        requestid: Uuid::max(),
        bodyhash: sha256.as_str().into(),
        commandlast: Some(number.to_string().into()),
        answer: Some(text.as_str().into()),
        authority: Some(text.as_str().into()),
        archivenumber: Some(id.as_str().into()),
        attachments: Some(vec![sha256.as_str(); ATTACHMENTS_MAX].join(" ").into()),
        causationid: Some(id.as_str().into()),
        correlationid: Some(id.as_str().into()),
        traceparent: Some(id.as_str().into()),
    };
    record::write(&envelope, event).unwrap().len()
}

fn bytes(event: &AgreementEvent) -> usize {
    serde_json::to_vec(event).unwrap().len()
}

#[test]
fn the_largest_draft_fits_an_event() {
    let code = |number: usize| PartyCode::parse(&format!("CN-XXXXXXXXXXXX:{number:064}")).unwrap();
    let codes: Vec<PartyCode> = (1..=PARTIES_MAX).map(code).collect();
    let recorded = codes.iter().map(|code| {
        let name = "单".repeat(LINE_BYTES_MAX / 3);
        let facts = Recording { name, ..recording(code, PartyKind::FinancialInstitution) };
        party(date(2001, 1, 1), code, PartyCommand::Record(facts))
    });
    let number = u32::try_from(OBLIGATIONS_MAX).unwrap();
    let owed = |number| Obligation {
        party: codes[0].clone(),
        text: "义".repeat(ITEM_BYTES_MAX / 3),
        ..obligation(4_000_000_000 + number)
    };
    let mut document = document('a');
    document.archive_number = Some("档".repeat(ARCHIVE_NUMBER_BYTES_MAX / 3));
    let largest = Draft {
        title: "题".repeat(LINE_BYTES_MAX / 3),
        parties: codes.iter().map(|code| DraftParty { code: code.clone(), role: Role::Seller }).collect(),
        obligations: (1..=number).map(owed).collect(),
        documents: vec![document; DOCUMENTS_MAX],
        ..contract()
    };
    let mut buyer = largest.clone();
    buyer.parties[0].role = Role::Buyer;
    let event = World::after(recorded).event(&draft(buyer));
    let bytes = bytes(&event);
    assert!(bytes < EVENT_BYTES_MAX - 4_096, "{bytes} bytes, and the envelope comes around it");
    let mut more = largest;
    more.documents.push(more.documents[0].clone());
    more.documents[0].archive_number = Some("x".repeat(ARCHIVE_NUMBER_BYTES_MAX + 1));
    assert_eq!(story("absent").0.outcome(&draft(more)), "TOO_MANY, TEXT_TOO_LONG");
}

/// A proposal whose amendment would not fit is refused at once, not when all have signed it.
#[test]
fn an_amendment_that_can_be_proposed_fits_an_event_with_its_last_signature() {
    let (world, _) = story("in_force");
    // So many obligations with this much more text than the others, and a title that long.
    let proposed = |longer: usize, title: usize| {
        let count = u32::try_from(OBLIGATIONS_MAX).unwrap();
        let owed = (1..=count).map(|number| {
            let more = if (number as usize) <= longer { 10 } else { 0 };
            let text = "\"".repeat(ITEM_BYTES_MAX - 10 + more);
            Obligation { text, ..obligation(number) }
        });
        Changes { title: Some("x".repeat(title)), obligations: Some(owed.collect()), ..Changes::default() }
    };
    let proposing = |changes: Changes| propose(changes, JUNE);
    let (first, last) = (sign_amendment(2, &works(), JUNE), sign_amendment(2, &university(), JUNE));
    let amended = |changes| world.clone().and([proposing(changes), first.clone()]).event(&last);

    let room = AMENDED_BYTES_MAX - bytes(&amended(proposed(0, 1)));
    // Ten quotation marks take twenty bytes.
    let (longer, title) = (room / 20, 1 + room % 20);
    assert!(longer <= OBLIGATIONS_MAX);
    let largest = amended(proposed(longer, title));
    assert_eq!(bytes(&largest), AMENDED_BYTES_MAX);
    let stored = stored_bytes(&largest);
    assert!(stored <= EVENT_BYTES_MAX, "{stored} bytes");
    let refusal = world.decide(&proposing(proposed(longer, title + 1))).unwrap_err();
    assert_eq!(codes(&refusal), "AMENDMENT_TOO_LARGE");
    assert_eq!(refusal.broken[0].facts["bytes"], (AMENDED_BYTES_MAX + 1).to_string());
    crate::refusals::speaks_both_languages(&refusal);
}

fn days_after(day: Date, days: usize) -> Date {
    day.saturating_add(i64::try_from(days).unwrap().days())
}

#[test]
fn an_agreement_has_so_many_terms_and_suspensions() {
    let (mut world, _) = story("in_force");
    // Terms of one day each.
    let further = |number: usize| {
        let day = days_after(TERM.until, number);
        renew(day, day, JUNE)
    };
    world = world.and((1..PERIODS_MAX).map(further));
    assert_eq!(world.agreement().periods.len(), PERIODS_MAX);
    assert_eq!(world.outcome(&further(PERIODS_MAX)), "TOO_MANY");

    let pause = |number: usize| {
        let day = days_after(JUNE, number);
        [suspend("audit", day), resume(&format!("恢复{number}号"), day)]
    };
    let world = story("in_force").0.and((0..PERIODS_MAX).flat_map(pause));
    assert_eq!(world.agreement().suspensions.len(), PERIODS_MAX);
    assert_eq!(world.outcome(&pause(PERIODS_MAX)[0]), "TOO_MANY");
}

#[test]
fn an_agreement_has_so_many_versions_and_amendments() {
    let titled = |number: u32| {
        let title = Some(format!("Title {number}"));
        propose(Changes { title, ..Changes::default() }, JUNE)
    };
    let (world, _) = story("in_force");
    // The draft is the first one. An amendment that was given up has had its number.
    let world = world.and((2..VERSIONS_MAX).map(titled));
    let last = propose(ending(date(2017, 3, 31)), JUNE);
    let abandoned = world.and([last.clone(), abandon(VERSIONS_MAX, "no consent", JUNE)]);
    assert_eq!(abandoned.agreement().version_numbers, VERSIONS_MAX);
    assert_eq!(abandoned.outcome(&last), "TOO_MANY_VERSIONS");
    assert_eq!(abandoned.outcome(&titled(VERSIONS_MAX)), "TOO_MANY_VERSIONS");
}

fn meeting(number: usize, items: usize) -> Order {
    let sha256 = Sha256::parse(&format!("{number:064x}")).unwrap();
    let items = (1..=u32::try_from(items).unwrap()).map(|number| ActionItem {
        number,
        party: works(),
        text: "寄送样品".to_owned(),
        due_on: date(2013, 7, 1),
    });
    let held = WorkCommand::MinuteMeeting {
        kind: MeetingKind::Visit,
        parties: vec![works()],
        minutes: Document { sha256, archive_number: None },
        action_items: items.collect(),
    };
    work(JUNE, held)
}

#[test]
fn an_agreement_has_so_many_meetings_and_a_meeting_so_many_action_items() {
    let (world, _) = story("in_force");
    assert_eq!(world.outcome(&meeting(1, ACTION_ITEMS_MAX)), "MeetingMinuted");
    assert_eq!(world.outcome(&meeting(1, ACTION_ITEMS_MAX + 1)), "TOO_MANY");
    let world = world.and((1..=MEETINGS_MAX).map(|number| meeting(number, 0)));
    assert_eq!(world.agreement().meetings.len(), MEETINGS_MAX);
    assert_eq!(world.outcome(&meeting(MEETINGS_MAX + 1, 0)), "TOO_MANY");
    assert_eq!(world.outcome(&meeting(1, 0)), "unchanged");
}

/// Each sort has its own count.
#[test]
fn a_party_has_so_many_facts_of_each_sort() {
    let since = |number: usize| days_after(date(2001, 1, 1), number);
    let about = |number: usize, command| party(since(number), &works(), command);
    let name = |number: usize| about(number, PartyCommand::Rename { name: format!("厂{number}") });
    let kind = |number: usize| {
        let kind = if number.is_multiple_of(2) { PartyKind::Enterprise } else { PartyKind::Institute };
        about(number, PartyCommand::Reclassify { kind })
    };
    let region = |number: usize| {
        let region = if number.is_multiple_of(2) { "210100" } else { "210200" };
        about(number, PartyCommand::Relocate { region: region.parse().unwrap() })
    };
    let code = |number: usize| {
        let code = PartyCode::parse(&format!("GB-COH:{number:08}")).unwrap();
        about(number, PartyCommand::AddCode { code, certificate: None })
    };
    let spell = |number: usize| {
        let register = Register::KeyEnterprise;
        let (from, until) = (2 * number, 2 * number + 1);
        [
            about(from, PartyCommand::EnterRegister { register }),
            about(until, PartyCommand::LeaveRegister { register }),
        ]
    };
    let link = |number: usize| {
        let (controller, kind) = (PartyId::of(&group()), ControlKind::Equity);
        let (from, until) = (2 * number, 2 * number + 1);
        [
            about(from, PartyCommand::RecordControlLink { controller, kind }),
            about(until, PartyCommand::EndControlLink { controller, kind }),
        ]
    };
    let representation = |number: usize| {
        let organisation = || OrganisationId::new("works-office").unwrap();
        let (from, until) = (2 * number, 2 * number + 1);
        let authority = "2001-1".to_owned();
        [
            about(from, PartyCommand::RecordRepresentation { organisation: organisation(), authority }),
            about(until, PartyCommand::EndRepresentation { organisation: organisation() }),
        ]
    };
    let known = || World::after(directory());
    // A party opens with a code, a name and a kind; its region is not known yet.
    let (one, none) = (1..FACTS_MAX, 1..=FACTS_MAX);
    for (says, world, more) in [
        ("names", known().and(one.clone().map(name)), name(FACTS_MAX)),
        ("kinds", known().and(one.clone().map(kind)), kind(FACTS_MAX)),
        ("codes", known().and(one.map(code)), code(FACTS_MAX)),
        ("regions", known().and(none.clone().map(region)), region(FACTS_MAX + 1)),
        ("registers", known().and(none.clone().flat_map(spell)), spell(FACTS_MAX + 1)[0].clone()),
        ("control links", known().and(none.clone().flat_map(link)), link(FACTS_MAX + 1)[0].clone()),
        (
            "representations",
            known().and(none.flat_map(representation)),
            representation(FACTS_MAX + 1)[0].clone(),
        ),
    ] {
        assert_eq!(world.outcome(&more), "TOO_MANY", "{says}");
    }
}
