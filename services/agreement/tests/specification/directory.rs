//! Parties: codes, dated facts, registers, control links, mergers; and succession in an agreement.

use crate::world::*;
use concord_agreement::{
    State,
    agreement::{Standing, draft::Draft},
    party::{End, PartyCommand, Recording},
};
use concord_events::{
    agreement::{AgreementEvent, AgreementKind, ControlKind, Register, Role},
    party::CodeCertificate,
};
use concord_kernel::{
    Date,
    id::OrganisationId,
    party::{PartyCode, PartyCodeId, PartyId, PartyKind},
};
use jiff::{ToSpan, civil::date};
use proptest::prelude::*;

const SINCE: Date = date(2001, 1, 1);

fn uscc() -> PartyCode {
    PartyCode::parse("CN-USCC:91330100799655058B").unwrap()
}

/// The organisation code within [`uscc`].
fn org() -> PartyCode {
    PartyCode::parse("CN-ORG:799655058").unwrap()
}

fn add(code: PartyCode, on: Date) -> Order {
    party(on, &works(), PartyCommand::AddCode { code, certificate: None })
}

fn rename(name: &str, on: Date) -> Order {
    party(on, &works(), PartyCommand::Rename { name: name.to_owned() })
}

fn reclassify(kind: PartyKind, on: Date) -> Order {
    party(on, &works(), PartyCommand::Reclassify { kind })
}

fn relocate(region: &str, on: Date) -> Order {
    party(on, &works(), PartyCommand::Relocate { region: region.parse().unwrap() })
}

fn enter(on: Date) -> Order {
    party(on, &works(), PartyCommand::EnterRegister { register: Register::KeyEnterprise })
}

fn leave(on: Date) -> Order {
    party(on, &works(), PartyCommand::LeaveRegister { register: Register::KeyEnterprise })
}

fn link(on: Date) -> Order {
    let controller = PartyId::of(&group());
    party(on, &works(), PartyCommand::RecordControlLink { controller, kind: ControlKind::Equity })
}

fn unlink(on: Date) -> Order {
    let controller = PartyId::of(&group());
    party(on, &works(), PartyCommand::EndControlLink { controller, kind: ControlKind::Equity })
}

fn represent(organisation: &str, authority: &str, on: Date) -> Order {
    let organisation = OrganisationId::new(organisation).unwrap();
    let authority = authority.to_owned();
    party(on, &works(), PartyCommand::RecordRepresentation { organisation, authority })
}

fn represent_no_more(organisation: &str, on: Date) -> Order {
    let organisation = OrganisationId::new(organisation).unwrap();
    party(on, &works(), PartyCommand::EndRepresentation { organisation })
}

fn holder(world: &World, code: &PartyCode) -> Option<PartyId> {
    match world.states.get(&PartyCodeId::of(code).stream().to_string()) {
        Some(State::Code(code)) => Some(code.party),
        _ => None,
    }
}

fn after(orders: impl IntoIterator<Item = Order>) -> World {
    World::after(directory()).and(orders)
}

/// Every pair of party (a row) and command (a column). `+` happens, `=` unchanged, `?` not found, `t` already exists,
/// `e` ended, `o` not open, `d` done otherwise.
#[test]
fn every_party_answers_every_command() {
    const TABLE: &str = "
                  record record2 code rename reclassify relocate enter leave link unlink represent end merge dissolve
        absent      +      +      ?     ?        ?         ?       ?     ?     ?     ?       ?      ?   ?      ?
        recorded    =      t      +     +        +         +       +     o     +     o       +      o   +      +
        known       =      t      =     =        =         =       =     +     =     +       =      +   +      +
        merged      =      t      +     e        e         e       e     o     e     o       e      o   =      d
        dissolved   =      t      +     e        e         e       e     o     e     o       e      o   d      =
    ";
    let day = date(2012, 5, 1);
    let known = || {
        let facts = [
            add(uscc(), SINCE.tomorrow().unwrap()),
            rename("新厂", day),
            relocate("210200", day),
            link(day),
            enter(day),
            represent("works-office", "2012-1", day),
        ];
        after(facts)
    };
    let mut lines = TABLE.lines().map(str::split_whitespace).filter(|words| words.clone().next().is_some());
    let columns: Vec<&str> = lines.next().unwrap().collect();
    let mut wrong = Vec::new();
    for mut words in lines {
        let row = words.next().unwrap();
        let world = match row {
            "absent" => World::default().and(directory().into_iter().skip(1)),
            "recorded" => after([]),
            "known" => known(),
            "merged" => after([merge(&works(), &group(), JUNE)]),
            "dissolved" => after([dissolve(&works(), JUNE)]),
            other => panic!("there is no party {other}"),
        };
        for (column, mark) in columns.iter().zip(words) {
            let another =
                Recording { name: "另一".to_owned(), ..recording(&works(), PartyKind::Enterprise) };
            let (order, event) = match *column {
                "record" => (record(&works(), PartyKind::Enterprise), "PartyRecorded"),
                "record2" => (party(SINCE, &works(), PartyCommand::Record(another)), "PartyRecorded"),
                // A code that it had while it lived may become known later.
                "code" => (add(uscc(), date(2012, 1, 1)), "PartyCodeAdded"),
                "rename" => (rename("新厂", JUNE), "PartyRenamed"),
                "reclassify" if row == "known" => (reclassify(PartyKind::Enterprise, JUNE), ""),
                "reclassify" => (reclassify(PartyKind::Institute, JUNE), "PartyReclassified"),
                "relocate" => (relocate("210200", JUNE), "PartyRelocated"),
                "enter" => (enter(JUNE), "RegisterEntered"),
                "leave" => (leave(JUNE), "RegisterLeft"),
                "link" => (link(JUNE), "ControlLinkRecorded"),
                "unlink" => (unlink(JUNE), "ControlLinkEnded"),
                "represent" => (represent("works-office", "2012-1", JUNE), "RepresentationRecorded"),
                "end" => (represent_no_more("works-office", JUNE), "RepresentationEnded"),
                "merge" => (merge(&works(), &group(), JUNE), "PartyMerged"),
                "dissolve" => (dissolve(&works(), JUNE), "PartyDissolved"),
                other => panic!("there is no command {other}"),
            };
            let came = world.outcome(&order);
            let holds = match mark {
                "+" => came == event,
                "=" => came == "unchanged",
                "?" => came == "PARTY_NOT_FOUND",
                "t" => came == "CODE_TAKEN",
                "e" => came == "PARTY_ENDED",
                "o" => came == "NOT_OPEN",
                "d" => came.starts_with("ALREADY_"),
                _ => panic!("the mark {mark} stands for nothing"),
            };
            if !holds {
                wrong.push(format!("{row} × {column}: the table says {mark}, what came is {came}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_code_never_belongs_to_two_parties() {
    let world = after([add(uscc(), date(2012, 1, 1))]);
    assert_eq!(holder(&world, &uscc()), Some(PartyId::of(&works())));
    assert_eq!(holder(&world, &works()), Some(PartyId::of(&works())));
    // Recorded as another party's first code, or added to another.
    let of_bank = party(JUNE, &bank(), PartyCommand::AddCode { code: uscc(), certificate: None });
    let refusal = world.decide(&of_bank).unwrap_err();
    assert_eq!(codes(&refusal), "CODE_TAKEN");
    assert_eq!(refusal.broken[0].facts["party_id"], PartyId::of(&works()).to_string());
    let anew = party(JUNE, &uscc(), PartyCommand::Record(recording(&uscc(), PartyKind::Enterprise)));
    let refusal = world.decide(&anew).unwrap_err();
    assert_eq!(refusal.kind, concord_chassis::log::RefusalKind::Taken);
    assert_eq!(refusal.broken[0].facts["party_id"], PartyId::of(&works()).to_string());
}

#[test]
fn recording_a_later_code_with_the_same_facts_changes_nothing() {
    let world = after([add(uscc(), date(2012, 1, 1))]);
    let facts = Recording { code: uscc(), ..recording(&works(), PartyKind::Enterprise) };
    let same = party(JUNE, &uscc(), PartyCommand::Record(facts.clone()));
    assert_eq!(world.outcome(&same), "unchanged");
    let other = Recording { kind: PartyKind::University, ..facts };
    assert_eq!(world.outcome(&party(JUNE, &uscc(), PartyCommand::Record(other))), "CODE_TAKEN");
}

#[test]
fn both_chinese_codes_are_one_legal_person() {
    let world = after([record(&org(), PartyKind::Enterprise)]);
    let anew = record(&uscc(), PartyKind::Enterprise);
    let refusal = world.decide(&anew).unwrap_err();
    assert_eq!(codes(&refusal), "CODE_TAKEN");
    assert!(refusal.broken[0].message.contains("AddPartyCode"), "{}", refusal.broken[0].message);
    // Nor can another party have the new code: it follows from the old one.
    assert_eq!(world.outcome(&add(uscc(), JUNE)), "CODE_TAKEN");
    let added = party(date(2015, 10, 1), &org(), PartyCommand::AddCode { code: uscc(), certificate: None });
    let world = world.and([added]);
    assert_eq!(holder(&world, &uscc()), Some(PartyId::of(&org())));
}

#[test]
fn a_code_of_a_certificate_is_taken_with_its_document() {
    let wrong = PartyCode::parse_of_certificate("CN-USCC:91350100M000100Y4Z").unwrap();
    let certificate = CodeCertificate {
        document_number: "闽市监〔2015〕第0012号".to_owned(),
        note: "证照如此".to_owned(),
    };
    let proved =
        Recording { certificate: Some(certificate.clone()), ..recording(&wrong, PartyKind::Enterprise) };
    let record = party(SINCE, &wrong, PartyCommand::Record(proved.clone()));
    let world = after([record.clone()]);
    assert_eq!(world.outcome(&record), "unchanged");
    assert_eq!(holder(&world, &wrong), Some(PartyId::of(&wrong)));
    assert_eq!(world.party(&wrong).certified, [(wrong.clone(), certificate.clone())]);
    // As a further code of a party that is known by another.
    let added = PartyCommand::AddCode { code: wrong.clone(), certificate: Some(certificate.clone()) };
    let world = after([party(JUNE, &works(), added)]);
    assert_eq!(holder(&world, &wrong), Some(PartyId::of(&works())));
    assert_eq!(world.party(&works()).certified, [(wrong.clone(), certificate)]);
    // Without its number or a word it proves nothing.
    let unproved = CodeCertificate { document_number: " ".to_owned(), note: String::new() };
    let unproved = Recording { certificate: Some(unproved), ..proved };
    let refusal = after([]).decide(&party(SINCE, &wrong, PartyCommand::Record(unproved))).unwrap_err();
    let fields: Vec<&str> = refusal.broken.iter().map(|broken| broken.field.as_str()).collect();
    assert_eq!(fields, ["certificate.document_number", "certificate.note"]);
}

/// A party that was recorded under `CN-USCI` before that was read as `CN-USCC` is found by the code under both names.
#[test]
fn what_was_recorded_under_the_codes_other_name_is_the_same_party() {
    let former = PartyId::of(&PartyCode::parse("US-EIN:1").unwrap());
    let event = serde_json::json!({
        "type": "concord.agreement.v1.PartyRecorded",
        "data": {
            "party": former,
            "code": "CN-USCI:91330100799655058B",
            "kind": "enterprise",
            "name": "某厂",
        },
    });
    let mut world = World::default();
    world.store(&serde_json::from_value(event).unwrap(), SINCE);
    assert_eq!(holder(&world, &uscc()), Some(former));
    let same = Recording { name: "某厂".to_owned(), ..recording(&uscc(), PartyKind::Enterprise) };
    assert_eq!(world.outcome(&party(JUNE, &uscc(), PartyCommand::Record(same))), "unchanged");
    let other = recording(&uscc(), PartyKind::Enterprise);
    assert_eq!(world.outcome(&party(JUNE, &uscc(), PartyCommand::Record(other))), "CODE_TAKEN");
}

#[test]
fn facts_hold_from_their_day_in_whichever_order_they_are_learned() {
    let world = after([rename("三", date(2012, 1, 1)), rename("二", date(2008, 1, 1))]);
    let works = world.party(&works());
    let name = |on| works.name_on(on).to_owned();
    let first = name(SINCE);
    assert_eq!(name(date(1999, 1, 1)), first, "before the first known, that one");
    assert_eq!(name(date(2007, 12, 31)), first);
    assert_eq!(name(date(2008, 1, 1)), "二");
    assert_eq!(name(date(2011, 12, 31)), "二");
    assert_eq!(name(date(2012, 1, 1)), "三");
    assert_eq!(world.outcome(&rename("二", date(2009, 1, 1))), "unchanged");
    assert_eq!(world.outcome(&rename("四", date(2008, 1, 1))), "ANOTHER_FROM_THAT_DAY");
    assert_eq!(world.outcome(&rename(" ", JUNE)), "FIELD_MISSING");
    let tomorrow = rename("五", date(2013, 6, 4)).learned_on(JUNE);
    assert_eq!(world.outcome(&tomorrow), "EFFECTIVE_AFTER_TODAY");
}

#[test]
fn a_register_has_enterprises_for_a_time() {
    let (from, until, again) = (date(2010, 1, 1), date(2011, 1, 1), date(2012, 1, 1));
    let world = after([enter(from), leave(until), enter(again)]);
    let on = |day| world.party(&works()).is_on(Register::KeyEnterprise, day);
    assert!(!on(date(2009, 12, 31)) && on(from) && on(date(2010, 12, 31)) && !on(until) && on(again));
    assert!(!world.party(&works()).is_on(Register::InnovativeEnterprise, from));
    assert_eq!(world.outcome(&enter(JUNE)), "unchanged", "it is on it already");
    assert_eq!(world.outcome(&enter(date(2009, 1, 1))), "SPELLS_OVERLAP");
    assert_eq!(world.outcome(&leave(again)), "SPELLS_OVERLAP", "it ends after it began");
    assert_eq!(after([enter(from), leave(until)]).outcome(&leave(until)), "unchanged");
    assert_eq!(after([enter(from), leave(until)]).outcome(&leave(JUNE)), "NOT_OPEN");
    let of_bank = party(JUNE, &bank(), PartyCommand::EnterRegister { register: Register::KeyEnterprise });
    assert_eq!(world.outcome(&of_bank), "NOT_AN_ENTERPRISE");
}

#[test]
fn a_control_link_is_between_two_known_parties_for_a_time() {
    let world = after([link(date(2010, 1, 1)), unlink(date(2011, 1, 1))]);
    let works = works();
    let spell = world.party(&works).control_links[0].spell;
    assert!(spell.covers(date(2010, 12, 31)) && !spell.covers(date(2011, 1, 1)));
    assert_eq!(world.outcome(&unlink(date(2011, 1, 1))), "unchanged");
    assert_eq!(world.outcome(&link(date(2010, 6, 1))), "unchanged");
    assert_eq!(world.outcome(&link(JUNE)), "ControlLinkRecorded");
    let by = |controller| PartyCommand::RecordControlLink { controller, kind: ControlKind::Equity };
    let itself = party(JUNE, &works, by(PartyId::of(&works)));
    assert_eq!(world.outcome(&itself), "PARTY_IS_ITSELF");
    assert_eq!(world.outcome(&party(JUNE, &works, by(PartyId::of(&unknown())))), "PARTY_NOT_FOUND");
}

#[test]
fn an_organisation_stands_for_a_party_for_a_time_however_it_is_spelled() {
    let (from, until) = (date(2010, 1, 1), date(2011, 1, 1));
    let world = after([represent("Works-Office", "2010-1", from), represent_no_more("works-office", until)]);
    let known = &world.party(&works()).representations[0];
    assert_eq!((known.organisation.as_str(), known.authority.as_str()), ("Works-Office", "2010-1"));
    assert!(known.spell.covers(date(2010, 12, 31)) && !known.spell.covers(until));
    assert_eq!(world.outcome(&represent("WORKS-OFFICE", "2010-1", date(2010, 6, 1))), "unchanged");
    assert_eq!(world.outcome(&represent("works-office", "2010-2", date(2010, 6, 1))), "ALREADY_REPRESENTED");
    assert_eq!(world.outcome(&represent("works-office", "2013-1", JUNE)), "RepresentationRecorded");
    assert_eq!(world.outcome(&represent("works-office", "2009-1", date(2009, 6, 1))), "SPELLS_OVERLAP");
    assert_eq!(world.outcome(&represent_no_more("Works-Office", until)), "unchanged");
    assert_eq!(world.outcome(&represent_no_more("another", until)), "NOT_OPEN");
    // Several stand for one party, and one for several.
    assert_eq!(world.outcome(&represent("another", "2010-3", date(2010, 6, 1))), "RepresentationRecorded");
    let organisation = OrganisationId::new("works-office").unwrap();
    let authority = "2010-4".to_owned();
    let of_bank = party(JUNE, &bank(), PartyCommand::RecordRepresentation { organisation, authority });
    assert_eq!(world.outcome(&of_bank), "RepresentationRecorded");
    assert_eq!(world.outcome(&represent("works-office", " ", JUNE)), "FIELD_MISSING");
}

#[test]
fn a_party_merges_into_one_that_lives() {
    let world = after([merge(&works(), &group(), JUNE)]);
    let into = PartyId::of(&group());
    assert_eq!(world.party(&works()).end, Some(End::Merged { into, from: JUNE }));
    assert_eq!(world.party(&group()).absorbed[0].value, PartyId::of(&works()));
    // Its codes stay its own.
    assert_eq!(holder(&world, &works()), Some(PartyId::of(&works())));
    assert_eq!(world.outcome(&merge(&bank(), &works(), JUNE)), "PARTY_MERGED");
    assert_eq!(world.outcome(&merge(&works(), &bank(), JUNE)), "ALREADY_MERGED");
    assert_eq!(world.outcome(&merge(&works(), &works(), JUNE)), "PARTY_IS_ITSELF");
    assert_eq!(world.outcome(&merge(&bank(), &unknown(), JUNE)), "PARTY_NOT_FOUND");
    let world = after([dissolve(&group(), JUNE)]);
    assert_eq!(world.outcome(&merge(&works(), &group(), JUNE)), "PARTY_DISSOLVED");
    assert_eq!(world.outcome(&merge(&works(), &group(), date(2013, 6, 2))), "PartyMerged");
}

/// The directory takes facts however old, so a merger of a later day may be known already.
#[test]
fn parties_do_not_merge_into_each_other_whichever_merger_is_learned_first() {
    let before = date(2013, 5, 1);
    let world = after([merge(&works(), &group(), JUNE)]);
    for on in [before, JUNE, date(2014, 1, 1)] {
        assert_eq!(world.outcome(&merge(&group(), &works(), on)), "MERGED_IN_A_CIRCLE", "{on}");
    }
    assert_eq!(world.outcome(&merge(&group(), &bank(), before)), "PartyMerged");
    assert_eq!(world.outcome(&merge(&bank(), &works(), before)), "PartyMerged", "it lived until June");
    // Through others.
    let world = world.and([merge(&bank(), &works(), before)]);
    let refusal = world.decide(&merge(&group(), &bank(), date(2012, 1, 1))).unwrap_err();
    assert_eq!(codes(&refusal), "MERGED_IN_A_CIRCLE");
    assert_eq!(refusal.broken[0].facts["merged_from"], before.to_string());
    // A party that is dissolved some day was alive before.
    let world = after([dissolve(&group(), JUNE)]);
    assert_eq!(world.outcome(&merge(&works(), &group(), before)), "PartyMerged");
}

proptest! {
    /// Whatever is merged on whichever day, in whichever order it is learned: somebody goes on.
    #[test]
    fn mergers_never_lead_in_a_circle(mergers in proptest::collection::vec((0..5_usize, 0..5_usize, 0..900_i64), 1..20)) {
        let parties = [works(), university(), province(), group(), institute()];
        let mut world = after([]);
        for (one, into, day) in mergers {
            let on = date(2011, 1, 1).saturating_add(day.days());
            // Refused or not.
            let _ = world.execute(&merge(&parties[one], &parties[into], on));
        }
        for code in &parties {
            let next = |id: &PartyId| {
                let holder = parties.iter().find(|code| PartyId::of(code) == *id).unwrap();
                world.party(holder).merged_into(Date::MAX)
            };
            let chain = std::iter::successors(Some(PartyId::of(code)), next);
            prop_assert!(chain.take(parties.len() + 1).count() <= parties.len(), "{code} goes round");
        }
    }
}

/// A log that was written before circles were refused may hold one. Every decision that meets it ends.
#[test]
fn a_circle_of_mergers_in_the_log_is_followed_once_round() {
    let (mut world, _) = story("in_force");
    for (one, other) in [(works(), group()), (group(), works())] {
        let (party, into) = (PartyId::of(&one), PartyId::of(&other));
        world.store(&AgreementEvent::PartyMerged { party, into, from: date(2013, 5, 1) }, date(2013, 5, 1));
    }
    let merged = world.decide(&renew_on(JUNE)).unwrap_err();
    assert_eq!(codes(&merged), "PARTY_MERGED");
    assert_eq!(merged.broken[0].facts["successor"], group().to_string());
    assert_eq!(world.outcome(&about(PARENT, draft(contract()).on(JUNE))), "PARTY_MERGED");
    // Both are gone, so neither stands for the other.
    assert_eq!(world.outcome(&succeed(&works(), &group(), JUNE)), "PARTY_MERGED");
    assert_eq!(world.outcome(&merge(&bank(), &works(), JUNE)), "PARTY_MERGED");
    assert_eq!(world.outcome(&merge(&bank(), &works(), date(2013, 4, 1))), "PartyMerged");
    let ends = [works(), group()].map(|code| world.party(&code).merged_into(JUNE));
    assert_eq!(ends, [Some(PartyId::of(&group())), Some(PartyId::of(&works()))]);
}

// Succession.

/// The story in force, the works merged into the group in June.
fn merged(standing: &str) -> World {
    story(standing).0.and([merge(&works(), &group(), JUNE)])
}

#[test]
fn a_successor_stands_for_the_merged_party_and_signatures_keep_who_signed() {
    let world = merged("in_force").and([succeed(&works(), &group(), JUNE)]);
    let agreement = world.agreement();
    assert!(agreement.participant(PartyId::of(&works())).is_none());
    let buyer = agreement.participant(PartyId::of(&group())).unwrap();
    assert_eq!((buyer.role, agreement.parties.len()), (Role::Buyer, 2));
    assert_eq!(agreement.standing(JUNE), Standing::InForce);
    let first = agreement.version_on(JUNE).unwrap();
    assert!(first.signatures.iter().any(|signature| signature.party == PartyId::of(&works())));
    // What it owes is still told by its code.
    assert!(agreement.names(&works()) && agreement.names(&group()));

    assert_eq!(world.outcome(&succeed(&works(), &group(), JUNE)), "unchanged");
    assert_eq!(world.outcome(&succeed(&works(), &bank(), JUNE)), "PARTY_SUCCEEDED");
    // From now on the successor signs.
    let world = world.and([propose(ending(date(2017, 3, 31)), JUNE)]);
    assert_eq!(world.outcome(&sign_amendment(2, &works(), JUNE)), "PARTY_SUCCEEDED");
    assert_eq!(world.outcome(&sign_amendment(2, &group(), JUNE)), "AmendmentSigned");
}

#[test]
fn only_whom_the_directory_names_succeeds_a_party() {
    let yesterday = date(2013, 6, 2);
    for (says, world, order, then) in [
        ("not merged", story("in_force").0, succeed(&works(), &group(), JUNE), "NOT_MERGED_INTO"),
        ("not merged yet", merged("in_force"), succeed(&works(), &group(), yesterday), "NOT_MERGED_INTO"),
        ("merged into another", merged("in_force"), succeed(&works(), &bank(), JUNE), "NOT_MERGED_INTO"),
        ("a stranger", merged("in_force"), succeed(&bank(), &group(), JUNE), "NOT_A_PARTY"),
        ("nobody knows it", merged("in_force"), succeed(&works(), &unknown(), JUNE), "PARTY_NOT_FOUND"),
        (
            "an amendment is pending",
            merged("amending"),
            succeed(&works(), &group(), JUNE),
            "AMENDMENT_PENDING",
        ),
        (
            "not signed by all",
            merged("partially_signed"),
            succeed(&works(), &group(), JUNE),
            "WRONG_STANDING",
        ),
        (
            "the successor was dissolved",
            merged("in_force").and([dissolve(&group(), date(2013, 6, 4))]),
            succeed(&works(), &group(), date(2013, 6, 4)),
            "PARTY_DISSOLVED",
        ),
        (
            "merged further",
            merged("in_force").and([merge(&group(), &bank(), JUNE)]),
            succeed(&works(), &bank(), JUNE),
            "PartySucceeded",
        ),
        (
            "the one between is no more",
            merged("in_force").and([merge(&group(), &bank(), JUNE)]),
            succeed(&works(), &group(), JUNE),
            "NOT_MERGED_INTO",
        ),
    ] {
        assert_eq!(world.outcome(&order), then, "{says}");
    }
}

/// It was merged within the term and the term is over: first it is succeeded, then the agreement renewed.
#[test]
fn a_party_is_succeeded_until_the_agreement_can_no_longer_be_renewed() {
    let world = story("in_force").0.and([merge(&works(), &group(), date(2016, 3, 30))]);
    let in_grace = date(2016, 5, 2);
    assert_eq!(world.outcome(&renew_on(in_grace)), "PARTY_MERGED");
    let succeeded = world.clone().and([succeed(&works(), &group(), in_grace)]);
    assert_eq!(succeeded.agreement().standing(in_grace), Standing::Expired);
    assert_eq!(succeeded.outcome(&succeed(&works(), &group(), in_grace)), "unchanged");
    let renewed = succeeded.and([renew_on(in_grace)]);
    assert_eq!(renewed.agreement().standing(in_grace), Standing::InForce);
    // 90 days after 2016-03-31, and the day after.
    assert_eq!(world.outcome(&succeed(&works(), &group(), date(2016, 6, 29))), "PartySucceeded");
    assert_eq!(world.outcome(&succeed(&works(), &group(), date(2016, 6, 30))), "SUCCEEDED_TOO_LATE");
}

#[test]
fn a_party_merged_into_another_of_the_same_agreement_leaves_what_its_kind_needs() {
    let three = |parties: [PartyCode; 3]| {
        let roles = parties.clone().map(|code| (code, Role::Participant));
        let long_term = Draft { parent: None, ..between(AgreementKind::LongTerm, &roles) };
        let signed = parties.map(|code| sign(&code, date(2013, 3, 5)));
        World::after(directory()).and([draft(long_term)]).and(signed)
    };
    let order = succeed(&works(), &group(), JUNE);
    let world = three([works(), group(), university()]).and([merge(&works(), &group(), JUNE)]);
    let world = world.and([order.clone()]);
    assert_eq!(world.agreement().parties.len(), 2);
    assert_eq!(world.agreement().version_on(JUNE).unwrap().signatures.len(), 3);
    assert_eq!(world.outcome(&order), "unchanged");

    // No enterprise would be left.
    let world = three([works(), institute(), university()]).and([merge(&works(), &institute(), JUNE)]);
    let refusal = world.decide(&succeed(&works(), &institute(), JUNE)).unwrap_err();
    assert_eq!(codes(&refusal), "KIND_NEEDS_PARTY");
    assert!(refusal.broken[0].message.contains("successor"), "{}", refusal.broken[0].message);

    // Nobody to agree with would be left.
    let world = story("in_force").0.and([merge(&works(), &university(), JUNE)]);
    let came = world.outcome(&succeed(&works(), &university(), JUNE));
    assert_eq!(came, "KIND_NEEDS_TWO_PARTIES, KIND_NEEDS_ROLE");
}

#[test]
fn a_party_command_follows_the_rulebook_of_today_however_old_its_fact() {
    let old =
        party(date(1978, 1, 1), &unknown(), PartyCommand::Record(recording(&unknown(), PartyKind::Other)));
    assert_eq!(World::default().outcome(&old), "PartyRecorded");
}

#[test]
fn an_id_that_is_something_else_is_taken() {
    let world = story("in_force").0;
    let id = concord_kernel::id::AgreementId(PartyId::of(&works()).0);
    assert_eq!(world.outcome(&about(id, draft(contract()))), "ID_TAKEN");
    let other = Draft { title: "Another".to_owned(), ..contract() };
    assert_eq!(world.outcome(&draft(other)), "ID_TAKEN");
}

#[test]
fn a_draft_again_is_a_repeat_although_its_parties_have_changed() {
    let world = story("in_force").0.and([rename("新厂", JUNE), dissolve(&works(), JUNE)]);
    assert_eq!(world.outcome(&draft(contract())), "unchanged");
}
