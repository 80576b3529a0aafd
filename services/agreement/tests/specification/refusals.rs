//! Every rule, just inside and just outside.

use crate::world::*;
use concord_agreement::agreement::{AgreementCommand, draft::Draft, draft::DraftParty};
use concord_chassis::log::Refusal;
use concord_events::agreement::{AgreementKind, Changes, Obligation, Role, TechnologyContractType, Term};
use concord_kernel::{Date, party::PartyCode};
use jiff::civil::date;

/// One row: what is asked of a world, and what comes of it.
fn check(rows: impl IntoIterator<Item = (&'static str, World, Order, &'static str)>) {
    for (says, world, order, then) in rows {
        assert_eq!(world.outcome(&order), then, "{says}");
    }
}

fn at(standing: &str) -> World {
    story(standing).0
}

fn drafted(by: Draft) -> Order {
    draft(by)
}

fn pair(kind: AgreementKind, one: PartyCode, other: PartyCode) -> Draft {
    between(kind, &[(one, Role::Participant), (other, Role::Participant)])
}

#[test]
fn each_kind_needs_its_parties() {
    use AgreementKind::*;
    let all = [province(), works(), university(), institute(), bank()];
    let name = |code: &PartyCode| all.iter().position(|one| one == code).unwrap();
    // Which pairs of province, works, university, institute, bank (0 to 4) will do.
    let table: [(AgreementKind, &[(usize, usize)]); 7] = [
        (Framework, &[(0, 2), (0, 3)]),
        (CityOrCounty, &[(0, 2), (0, 3)]),
        (LongTerm, &[(1, 2), (1, 3)]),
        (CoBuiltFacility, &[(0, 2), (0, 3), (1, 2), (1, 3)]),
        (JointResearch, &[(1, 2), (1, 3)]),
        (NationalProject, &[(1, 2), (1, 3)]),
        (TalentTraining, &[(0, 2), (0, 3), (1, 2), (1, 3)]),
    ];
    for (kind, allowed) in table {
        for one in &all {
            for other in all.iter().filter(|other| name(other) > name(one)) {
                let pair_is_allowed = allowed.contains(&(name(one), name(other)));
                let came = at("absent").outcome(&drafted(pair(kind, one.clone(), other.clone())));
                if pair_is_allowed {
                    assert_eq!(came, "AgreementDrafted", "{kind:?} between {one} and {other}");
                } else {
                    assert!(
                        came.starts_with("KIND_NEEDS_PARTY"),
                        "{kind:?} between {one} and {other}: {came}"
                    );
                }
            }
        }
    }
    // A technology contract is between parties of any kind, but it has a seller and a buyer.
    for (one, other, then) in [
        (Role::Seller, Role::Buyer, "AgreementDrafted"),
        (Role::Seller, Role::Seller, "KIND_NEEDS_ROLE"),
        (Role::Participant, Role::Buyer, "KIND_NEEDS_ROLE"),
        (Role::Participant, Role::Participant, "KIND_NEEDS_ROLE, KIND_NEEDS_ROLE"),
    ] {
        let parties = [(bank(), one), (province(), other)];
        assert_eq!(at("absent").outcome(&drafted(between(TechnologyContract, &parties))), then);
    }
    let alone = between(LongTerm, &[(works(), Role::Participant)]);
    assert_eq!(at("absent").outcome(&drafted(alone)), "KIND_NEEDS_TWO_PARTIES, KIND_NEEDS_PARTY");
}

#[test]
fn a_draft_says_what_its_kind_needs_and_nothing_else() {
    let long_term = || pair(AgreementKind::LongTerm, works(), university());
    let national = || pair(AgreementKind::NationalProject, works(), university());
    let rows = [
        ("national project", national(), "AgreementDrafted"),
        ("without its number", Draft { project_number: None, ..national() }, "FIELD_MISSING"),
        (
            "another kind with one",
            Draft { project_number: Some("1".to_owned()), ..long_term() },
            "PROJECT_NUMBER_NOT_OF_KIND",
        ),
        ("technology contract", contract(), "AgreementDrafted"),
        ("without its type", Draft { technology: None, ..contract() }, "TECHNOLOGY_TYPE"),
        ("without its value", Draft { value: None, ..contract() }, "FIELD_MISSING"),
        ("of no value", Draft { value: Some(cny(0)), ..contract() }, "VALUE_NOT_POSITIVE"),
        ("of one fen", Draft { value: Some(cny(1)), ..contract() }, "AgreementDrafted"),
        (
            "another kind with a type",
            Draft { technology: Some(TechnologyContractType::Service), ..long_term() },
            "TECHNOLOGY_TYPE",
        ),
        (
            "another kind with a seller",
            between(AgreementKind::LongTerm, &[(works(), Role::Seller), (university(), Role::Participant)]),
            "ROLE_NOT_OF_KIND",
        ),
        ("a value where none is needed", Draft { value: Some(cny(1)), ..long_term() }, "AgreementDrafted"),
        ("one day", Draft { term: Term { until: TERM.from, ..TERM }, ..contract() }, "AgreementDrafted"),
        (
            "ends before it begins",
            Draft { term: Term { until: date(2013, 3, 31), ..TERM }, ..contract() },
            "TERM_BACKWARDS",
        ),
        ("no title", Draft { title: " ".to_owned(), ..contract() }, "FIELD_MISSING"),
        ("the longest title", Draft { title: "x".repeat(500), ..contract() }, "AgreementDrafted"),
        ("a longer one", Draft { title: "x".repeat(501), ..contract() }, "TEXT_TOO_LONG"),
        (
            "all faults at once",
            Draft { title: String::new(), value: None, technology: None, ..contract() },
            "FIELD_MISSING, TECHNOLOGY_TYPE, FIELD_MISSING",
        ),
        ("a framework under another", Draft { parent: Some(PARENT), ..framework() }, "FRAMEWORK_WITH_PARENT"),
        ("under itself", Draft { parent: Some(AGREEMENT), ..contract() }, "PARENT_IS_ITSELF"),
    ];
    check(rows.map(|(says, by, then)| (says, at("absent"), drafted(by), then)));
}

#[test]
fn a_draft_names_known_and_different_parties_that_can_act() {
    let with = |code| pair(AgreementKind::LongTerm, code, university());
    let alias = concord_kernel::party::PartyCode::parse("GB-COH:SC123456").unwrap();
    let aliased = || {
        let code = concord_agreement::party::PartyCommand::AddCode { code: alias.clone(), certificate: None };
        at("absent").and([party(date(2013, 1, 1), &works(), code)])
    };
    let three = Draft {
        parties: [works(), alias.clone(), university()]
            .map(|code| DraftParty { code, role: Role::Participant })
            .to_vec(),
        ..with(works())
    };
    check([
        ("an unknown party", at("absent"), drafted(with(unknown())), "PARTY_NOT_FOUND"),
        ("by a later code", aliased(), drafted(with(alias.clone())), "AgreementDrafted"),
        ("one party by two codes", aliased(), drafted(three), "PARTY_TWICE"),
        (
            "dissolved the day after",
            at("absent").and([dissolve(&works(), date(2013, 3, 2))]),
            drafted(with(works())),
            "AgreementDrafted",
        ),
        (
            "dissolved that day",
            at("absent").and([dissolve(&works(), DRAFTED_ON)]),
            drafted(with(works())),
            "PARTY_DISSOLVED",
        ),
        (
            "merged that day",
            at("absent").and([merge(&works(), &group(), DRAFTED_ON)]),
            drafted(with(works())),
            "PARTY_MERGED",
        ),
    ]);
    let world = at("absent").and([merge(&works(), &group(), DRAFTED_ON)]);
    let refusal = world.decide(&drafted(with(works()))).unwrap_err();
    assert_eq!(refusal.broken[0].facts["successor"], group().to_string());
    assert!(refusal.broken[0].message.contains(&group().to_string()));
    let both = world.decide(&drafted(pair(AgreementKind::LongTerm, unknown(), unknown()))).unwrap_err();
    assert_eq!(codes(&both), "PARTY_NOT_FOUND, PARTY_NOT_FOUND");
}

#[test]
fn what_a_party_is_on_that_day_decides() {
    use concord_agreement::party::PartyCommand::Reclassify;
    use concord_kernel::party::PartyKind;
    let long_term = || drafted(pair(AgreementKind::LongTerm, works(), institute()));
    let turned = |on| at("absent").and([party(on, &institute(), Reclassify { kind: PartyKind::Enterprise })]);
    check([
        ("an institute until the day after", turned(date(2013, 3, 2)), long_term(), "AgreementDrafted"),
        ("an enterprise from that day", turned(DRAFTED_ON), long_term(), "KIND_NEEDS_PARTY"),
    ]);
}

#[test]
fn an_agreement_comes_under_a_framework_that_has_not_ended() {
    let under = |on: Date| draft(Draft { parent: Some(PARENT), ..contract() }).on(on);
    let parent = |by: Draft, signers: [PartyCode; 2]| {
        let signed = signers.map(|code| about(PARENT, sign(&code, date(2013, 3, 2))));
        at("absent").and([about(PARENT, draft(by))]).and(signed)
    };
    let of_framework = || parent(framework(), [province(), university()]);
    let of_city = || {
        let city = between(
            AgreementKind::CityOrCounty,
            &[(province(), Role::Participant), (university(), Role::Participant)],
        );
        parent(city, [province(), university()])
    };
    let of_contract = || parent(contract(), [works(), university()]);
    check([
        ("no parent of that id", at("absent"), under(JUNE), "AGREEMENT_NOT_FOUND"),
        ("under a framework", of_framework(), under(JUNE), "AgreementDrafted"),
        ("before its term begins", of_framework(), under(date(2013, 3, 4)), "AgreementDrafted"),
        ("on its last day", of_framework(), under(TERM.until), "AgreementDrafted"),
        ("after it", of_framework(), under(date(2016, 4, 1)), "PARENT_NOT_LIVE"),
        ("under a city's agreement", of_city(), under(JUNE), "AgreementDrafted"),
        ("under a contract", of_contract(), under(JUNE), "PARENT_NOT_A_FRAMEWORK"),
        (
            "under one not signed",
            at("absent").and([about(PARENT, draft(framework()))]),
            under(JUNE),
            "PARENT_NOT_LIVE",
        ),
        (
            "the day before its termination",
            of_framework().and([about(PARENT, terminate(JUNE, date(2013, 5, 1)))]),
            under(date(2013, 6, 2)),
            "AgreementDrafted",
        ),
        (
            "from its termination on",
            of_framework().and([about(PARENT, terminate(JUNE, date(2013, 5, 1)))]),
            under(JUNE),
            "PARENT_NOT_LIVE",
        ),
        (
            "while it is suspended",
            of_framework().and([about(PARENT, suspend("audit", date(2013, 5, 1)))]),
            under(JUNE),
            "AgreementDrafted",
        ),
    ]);
}

#[test]
fn nothing_comes_into_force_under_a_framework_that_ended_before_the_last_signature() {
    let parent = |order| about(PARENT, order);
    let child = Draft { parent: Some(PARENT), ..contract() };
    let ended_on = date(2013, 4, 10);
    let world = at("absent").and([
        parent(draft(framework())),
        parent(sign(&province(), date(2013, 3, 5))),
        parent(sign(&university(), date(2013, 3, 5))),
        draft(child).on(date(2013, 4, 2)),
    ]);
    let ended = world.clone().and([parent(terminate(ended_on, ended_on))]);
    let suspended = world.and([parent(suspend("audit", ended_on))]);
    let day = |day| date(2013, 4, day);
    let half = |on| ended.clone().and([sign(&works(), on)]);
    check([
        ("the first of two", ended.clone(), sign(&works(), day(10)), "AgreementSigned"),
        ("all the day before", half(day(9)), sign(&university(), day(9)), "AgreementSigned"),
        ("the last on that day", half(day(9)), sign(&university(), day(10)), "PARENT_NOT_LIVE"),
        (
            "the other one on that day, learned first",
            half(day(10)),
            sign(&university(), day(9)).learned_on(day(11)),
            "PARENT_NOT_LIVE",
        ),
        (
            "while it is suspended",
            suspended.and([sign(&works(), day(10))]),
            sign(&university(), day(10)),
            "AgreementSigned",
        ),
        ("the draft can be cancelled", half(day(10)), cancel("framework ended"), "DraftCancelled"),
    ]);
    let refusal = half(day(10)).decide(&sign(&university(), day(10))).unwrap_err();
    assert_eq!(refusal.broken[0].facts["parent_id"], PARENT.to_string());
    assert_eq!(refusal.broken[0].facts["standing"], "terminated");
    speaks_both_languages(&refusal);
}

#[test]
fn each_party_signs_once_within_its_time() {
    let on = |day: i8| date(2013, 3, day);
    check([
        ("a stranger", at("drafted"), sign(&bank(), on(5)), "NOT_A_PARTY"),
        ("a stranger afterwards", at("in_force"), sign(&bank(), JUNE), "NOT_A_PARTY"),
        ("nobody knows it", at("drafted"), sign(&unknown(), on(5)), "PARTY_NOT_FOUND"),
        ("twice", at("partially_signed"), sign(&works(), on(6)), "ALREADY_SIGNED"),
        ("on the day of the draft", at("drafted"), sign(&works(), DRAFTED_ON), "AgreementSigned"),
        ("the day before", at("drafted"), sign(&works(), date(2013, 2, 28)), "SIGNED_BEFORE_DRAFT"),
        ("on the last day of the term", at("drafted"), sign(&works(), TERM.until), "AgreementSigned"),
        ("the day after", at("drafted"), sign(&works(), date(2016, 4, 1)), "SIGNED_AFTER_TERM"),
        (
            "the day before its dissolution",
            at("drafted").and([dissolve(&works(), on(6))]),
            sign(&works(), on(5)),
            "AgreementSigned",
        ),
        (
            "dissolved",
            at("drafted").and([dissolve(&works(), on(5))]),
            sign(&works(), on(5)),
            "PARTY_DISSOLVED",
        ),
        (
            "merged",
            at("drafted").and([merge(&works(), &group(), on(5))]),
            sign(&works(), on(5)),
            "PARTY_MERGED",
        ),
        (
            "its successor is a stranger to the draft",
            at("drafted").and([merge(&works(), &group(), on(5))]),
            sign(&group(), on(5)),
            "NOT_A_PARTY",
        ),
        ("an amendment, by a stranger", at("amending"), sign_amendment(2, &bank(), JUNE), "NOT_A_PARTY"),
        (
            "an amendment, twice",
            at("amending").and([sign_amendment(2, &works(), JUNE)]),
            sign_amendment(2, &works(), JUNE),
            "ALREADY_SIGNED",
        ),
        (
            "an amendment, the day before it was proposed",
            at("amending"),
            sign_amendment(2, &works(), date(2013, 5, 5)),
            "SIGNED_BEFORE_DRAFT",
        ),
        (
            "an amendment, dissolved",
            at("amending").and([dissolve(&works(), JUNE)]),
            sign_amendment(2, &works(), JUNE),
            "PARTY_DISSOLVED",
        ),
        ("another amendment", at("amending"), sign_amendment(3, &works(), JUNE), "AMENDMENT_NOT_PENDING"),
    ]);
}

#[test]
fn terms_follow_each_other() {
    let end = date(2018, 3, 31);
    let next = date(2016, 4, 1);
    // 90 days after 2016-03-31.
    let last_chance = date(2016, 6, 29);
    let renewed = || at("in_force").and([renew_on(JUNE)]);
    check([
        ("the day after", at("in_force"), renew(next, end, JUNE), "AgreementRenewed"),
        ("overlapping by a day", at("in_force"), renew(TERM.until, end, JUNE), "TERMS_OVERLAP"),
        (
            "before its end, with a gap",
            at("in_force"),
            renew(date(2016, 4, 2), end, JUNE),
            "RENEWAL_LEAVES_GAP",
        ),
        ("on its last day", at("in_force"), renew(next, end, TERM.until), "AgreementRenewed"),
        (
            "after its end, with a gap",
            at("in_force"),
            renew(date(2016, 4, 20), end, next),
            "AgreementRenewed",
        ),
        ("the gap is the grace period", at("in_force"), renew(last_chance, end, next), "AgreementRenewed"),
        ("a day more", at("in_force"), renew(date(2016, 6, 30), end, next), "RENEWAL_LEAVES_GAP"),
        ("on the last day of grace", at("in_force"), renew(next, end, last_chance), "AgreementRenewed"),
        ("a day later", at("in_force"), renew(next, end, date(2016, 6, 30)), "RENEWED_TOO_LATE"),
        ("for one day", at("in_force"), renew(next, next, next), "AgreementRenewed"),
        ("for the past only", at("in_force"), renew(next, next, date(2016, 4, 2)), "RENEWED_FOR_THE_PAST"),
        ("backwards", at("in_force"), renew(next, TERM.until, JUNE), "TERM_BACKWARDS"),
        ("the same again", renewed(), renew_on(JUNE), "unchanged"),
        ("once more, overlapping", renewed(), renew(next, end, JUNE), "TERMS_OVERLAP"),
        ("with a pending amendment", at("amending"), renew_on(JUNE), "AMENDMENT_PENDING"),
        (
            "with a dissolved party",
            at("in_force").and([dissolve(&works(), JUNE)]),
            renew_on(JUNE),
            "PARTY_DISSOLVED",
        ),
    ]);
}

#[test]
fn an_end_and_a_suspension_stand_as_they_were_first() {
    let suspended = || at("suspended");
    let completed = || at("completed");
    let terminated = || at("in_force").and([terminate(JUNE, JUNE)]);
    let other = |order: Order| match order.command {
        concord_agreement::Command::Agreement(id, AgreementCommand::Force(command)) => {
            use concord_agreement::agreement::force::ForceCommand::*;
            let command = match command {
                Complete { .. } => Complete { documents: Vec::new() },
                Terminate { authority, out_of_force_from, .. } => {
                    Terminate { reason: "other".to_owned(), authority, out_of_force_from }
                }
                command => command,
            };
            Order {
                command: concord_agreement::Command::Agreement(id, AgreementCommand::Force(command)),
                ..order
            }
        }
        command => Order { command, ..order },
    };
    check([
        ("suspended for another cause", suspended(), suspend("other", JUNE), "ALREADY_SUSPENDED"),
        ("completed with other proof", completed(), other(complete(JUNE)), "ALREADY_COMPLETED"),
        ("terminated for another reason", terminated(), other(terminate(JUNE, JUNE)), "ALREADY_TERMINATED"),
        ("on another day", terminated(), terminate(date(2013, 6, 4), JUNE), "ALREADY_TERMINATED"),
        ("cancelled for another reason", at("draft_cancelled"), cancel("other"), "ALREADY_CANCELLED"),
        ("fulfilled with other proof", at("fulfilled"), fulfil(1, 'f', JUNE), "ALREADY_FULFILLED"),
        ("no such obligation", at("in_force"), fulfil(2, 'e', JUNE), "OBLIGATION_NOT_FOUND"),
        ("terminated today", at("in_force"), terminate(JUNE, JUNE), "AgreementTerminated"),
        ("yesterday", at("in_force"), terminate(date(2013, 6, 2), JUNE), "TERMINATED_FOR_THE_PAST"),
        ("on its last day", at("in_force"), terminate(TERM.until, JUNE), "AgreementTerminated"),
        ("after it", at("in_force"), terminate(date(2016, 4, 1), JUNE), "TERMINATED_AFTER_THE_END"),
    ]);
}

#[test]
fn an_amendment_ends_no_term_in_the_past() {
    let value = |value| Changes { value: Some(value), ..Changes::default() };
    let registered = || at("in_force").and([submit("market", JUNE), register(500_000, JUNE)]);
    let signed =
        |until| at("in_force").and([propose(ending(until), JUNE), sign_amendment(2, &works(), JUNE)]);
    let tenth = date(2013, 6, 10);
    let foreign = Obligation { party: bank(), ..obligation(2) };
    let obligations = |obligations| Changes { obligations: Some(obligations), ..Changes::default() };
    check([
        ("today", at("in_force"), propose(ending(JUNE), JUNE), "AmendmentProposed"),
        ("yesterday", at("in_force"), propose(ending(date(2013, 6, 2)), JUNE), "AMENDED_END_TOO_EARLY"),
        (
            "by the last signature still ahead",
            signed(tenth),
            sign_amendment(2, &university(), tenth),
            "AmendmentSigned, AgreementAmended",
        ),
        (
            "by the last signature past",
            signed(tenth),
            sign_amendment(2, &university(), date(2013, 6, 11)),
            "AMENDED_END_TOO_EARLY",
        ),
        ("the end as it is", at("in_force"), propose(ending(TERM.until), JUNE), "unchanged"),
        ("a second one", at("amending"), propose(retitled(), JUNE), "AMENDMENT_PENDING"),
        (
            "a value not below what was verified",
            registered(),
            propose(value(cny(500_000)), JUNE),
            "AmendmentProposed",
        ),
        ("below it", registered(), propose(value(cny(499_999)), JUNE), "INCOME_ABOVE_VALUE"),
        ("of nothing", at("in_force"), propose(value(cny(0)), JUNE), "VALUE_NOT_POSITIVE"),
        (
            "an obligation of a stranger",
            at("in_force"),
            propose(obligations(vec![obligation(1), foreign]), JUNE),
            "PARTY_NOT_NAMED",
        ),
        (
            "a number twice",
            at("in_force"),
            propose(obligations(vec![obligation(1), obligation(1)]), JUNE),
            "NUMBER_TAKEN",
        ),
        (
            "as many as there may be",
            at("in_force"),
            propose(obligations((1..=500).map(obligation).collect()), JUNE),
            "AmendmentProposed",
        ),
        (
            "one more",
            at("in_force"),
            propose(obligations((1..=501).map(obligation).collect()), JUNE),
            "TOO_MANY",
        ),
    ]);
}

#[test]
fn a_technology_contract_is_registered_with_at_most_its_value() {
    let submitted = || at("in_force").and([submit("market", JUNE)]);
    let long_term = || at("absent").and([draft(pair(AgreementKind::LongTerm, works(), university()))]);
    check([
        ("all of it", submitted(), register(1_000_000, JUNE), "ContractRegistered"),
        ("a fen more", submitted(), register(1_000_001, JUNE), "INCOME_ABOVE_VALUE"),
        ("nothing of it", submitted(), register(0, JUNE), "ContractRegistered"),
        ("less than nothing", submitted(), register(-1, JUNE), "INCOME_NEGATIVE"),
        ("before it was submitted", submitted(), register(1, date(2013, 6, 2)), "STEP_BEFORE_THE_LAST"),
        ("another kind", long_term(), submit("market", JUNE), "NOT_A_TECHNOLOGY_CONTRACT"),
    ]);
}

#[test]
fn steps_are_dated_in_order_and_not_too_far_back() {
    check([
        (
            "on the day of the step before",
            at("in_force"),
            suspend("audit", date(2013, 4, 1)),
            "AgreementSuspended",
        ),
        (
            "in the future",
            at("in_force"),
            suspend("audit", date(2013, 6, 4)).learned_on(JUNE),
            "EFFECTIVE_AFTER_TODAY",
        ),
        (
            "30 days back",
            at("in_force"),
            suspend("audit", date(2013, 5, 4)).learned_on(JUNE),
            "AgreementSuspended",
        ),
        (
            "31 days back",
            at("in_force"),
            suspend("audit", date(2013, 5, 3)).learned_on(JUNE),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        ("before the suspension", at("suspended"), resume("恢复", date(2013, 5, 5)), "STEP_BEFORE_THE_LAST"),
        ("before the first rulebook", at("absent"), draft(contract()).on(date(2012, 9, 14)), "NO_RULEBOOK"),
        ("from its first day on", at("absent"), draft(contract()).on(date(2012, 9, 15)), "AgreementDrafted"),
    ]);
}

/// A title is not material in the shipped rulebook; where a later one says so, it is.
#[test]
fn the_rulebook_says_what_is_material_how_long_grace_lasts_and_what_completion_needs() {
    use concord_agreement::Agreements;
    use concord_chassis::log::{Context, Domain, View};
    use concord_chassis::reference::Tables;
    use concord_kernel::rulebook::Rulebooks;
    let text = include_str!("../../../../deploy/rulebook/2012-09.toml")
        .replace("[\"term_end\", \"value\", \"obligations\"]", "[\"title\"]")
        .replace("renewal_grace_days = 90", "renewal_grace_days = 0")
        .replace("completion_needs_fulfilment = true", "completion_needs_fulfilment = false");
    let other = Rulebooks::from_toml_files(&[("other.toml", text)]).unwrap();
    let other = Agreements::new(Tables { rulebooks: std::sync::Arc::new(other), ..Tables::shipped() });
    let world = at("in_force");
    let lookup = |of| world.look(of);
    let decide = |order: Order| {
        let context = Context {
            today: order.today,
            effective_on: order.on,
            actor: "clerk",
            actor_organisation: "office",
            authority: None,
            head: 0,
            now: jiff::Timestamp::UNIX_EPOCH,
            followed: &[],
        };
        match other.decide(&View::new(&lookup), &order.command, &context) {
            Ok(decision) => decision.events.iter().map(name).collect::<Vec<_>>().join(", "),
            Err(concord_chassis::log::Stop::Refused(refusal)) => codes(&refusal),
            Err(need) => panic!("{need:?}"),
        }
    };
    assert_eq!(decide(propose(retitled(), JUNE)), "AmendmentProposed");
    assert_eq!(decide(propose(ending(JUNE), JUNE)), "AgreementAmended");
    assert_eq!(decide(renew_on(date(2016, 4, 1))), "RENEWED_TOO_LATE");
    assert_eq!(decide(complete(JUNE)), "AgreementCompleted");
}

/// Says its facts and what to do, in English and in Chinese; how many rules it names.
pub fn speaks_both_languages(refusal: &Refusal) -> usize {
    for broken in &refusal.broken {
        let chinese = |text: &str| text.chars().any(|c| ('一'..='龥').contains(&c));
        assert!(!chinese(&broken.message) && broken.message.contains([';', '.']), "{}", broken.message);
        assert!(chinese(&broken.message_zh), "{}", broken.message_zh);
        assert!(!broken.facts.is_empty(), "{}", broken.code);
    }
    refusal.broken.len()
}

/// Every refusal of these tests' stories says its facts and what to do in both languages.
#[test]
fn a_refusal_speaks_both_languages() {
    let mut seen = 0;
    for (world, order) in [
        (at("drafted"), sign(&bank(), JUNE)),
        (at("in_force"), complete(JUNE)),
        (at("in_force"), renew(TERM.until, date(2018, 3, 31), JUNE)),
        (at("completed"), suspend("audit", JUNE)),
        (at("absent"), draft(pair(AgreementKind::LongTerm, bank(), province()))),
        (at("in_force"), succeed(&works(), &group(), JUNE)),
        (at("expired").and([merge(&works(), &group(), JUNE)]), succeed(&works(), &group(), date(2017, 1, 1))),
        (at("absent").and([merge(&works(), &group(), JUNE)]), merge(&group(), &works(), JUNE)),
        (at("in_force").and([terminate(TERM.until, JUNE)]), suspend("audit", JUNE)),
    ] {
        seen += speaks_both_languages(&world.decide(&order).unwrap_err());
    }
    assert!(seen >= 9);
}
