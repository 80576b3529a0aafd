//! Who is who: one legal person under several ids, and for whom an organisation acts (A01, A04, A11, A13).

use crate::{backing, money, spending::report, world::*};
use concord_chassis::log::RefusalKind;
use concord_chassis::process::{Cause, Deadline, ProcessManager};
use concord_events::{
    agreement::AgreementEvent,
    fund::{AgreementPoint, Allocation, BackingParty, DirectoryPoint, Filed, FundEvent, Party, PartyChange},
};
use concord_fund_grant::{
    Command,
    backing::Change,
    follow::FollowAgreements,
    grant::{GrantCommand, opening::Application, partners::ShareTransfer},
    party::{PartyCommand, PartyFact},
};
use concord_kernel::{
    Date,
    id::{GrantId, OrganisationId},
    party::{PartyCode, PartyId, PartyKind},
};
use jiff::civil::date;
use uuid::Uuid;

const OTHER: GrantId = GrantId(Uuid::from_u128(0x3));
const SINCE: Date = date(2001, 1, 1);

fn party_of(code: &str) -> Party {
    let code = PartyCode::parse(code).unwrap();
    Party { party: PartyId::of(&code), code, kind: PartyKind::Enterprise, region: lead().region, name: None }
}

/// A code that the directory comes to know as the lead's.
fn alias() -> Party {
    party_of("EU-PIC:998616262")
}

/// The lead as it was recorded while `CN-USCI` was another scheme.
fn under_its_other_name() -> Party {
    Party { party: PartyId::first_form(&lead().code).unwrap(), ..lead() }
}

/// Another legal person.
fn works() -> Party {
    party_of("CN-USCC:9144030071526726XG")
}

/// A third one.
fn group() -> Party {
    party_of("CN-USCC:91110108551385082Q")
}

/// What the directory says of a party at this position of the agreement log, taken in on the day on which it happened, or when the
/// story begins.
pub fn take(position: u64, on: Date, party: &Party, change: PartyChange) -> Order {
    let at = AgreementPoint { generation: 1, position, event: Uuid::from_u128(position.into()) };
    let fact = PartyFact { at, happened_on: on, change };
    let command = Command::Party(party.party, PartyCommand::Take(fact));
    order(on.max(march(1)), "process:backing", command).by("process:backing", "process:backing")
}

fn of_generation(mut order: Order, generation: u32) -> Order {
    if let Command::Party(_, PartyCommand::Take(fact)) = &mut order.command {
        fact.at.generation = generation;
    }
    order
}

fn recorded(party: &Party, name: &str) -> PartyChange {
    PartyChange::Recorded { code: party.code.clone(), name: name.to_owned() }
}

fn code_added(code: &Party, from: Date) -> PartyChange {
    PartyChange::CodeAdded { code: code.code.clone(), from }
}

pub fn merged(into: &Party, from: Date) -> PartyChange {
    PartyChange::Merged { into: into.party, from }
}

fn represented(organisation: &str, from: Date) -> PartyChange {
    let organisation = OrganisationId::new(organisation).unwrap();
    PartyChange::Represented { organisation, authority: "辽科发〔2013〕9号".to_owned(), from }
}

fn represented_no_more(organisation: &str, from: Date) -> PartyChange {
    PartyChange::RepresentationEnded { organisation: OrganisationId::new(organisation).unwrap(), from }
}

/// Lead, works and group are in the directory.
fn directory() -> Vec<Order> {
    vec![
        take(1, SINCE, &lead(), recorded(&lead(), "大学")),
        take(2, SINCE, &works(), recorded(&works(), "机床厂")),
        take(3, SINCE, &group(), recorded(&group(), "集团")),
    ]
}

/// An application of this lead for the project of the story.
fn same_project_by(lead: &Party) -> Application {
    Application {
        lead: lead.clone(),
        allocations: vec![Allocation { party: lead.clone(), amount_minor: Some(AWARD) }],
        ..application()
    }
}

fn recommended(application: Application) -> [Order; 2] {
    [apply_for(application).of(OTHER), recommend().of(OTHER)]
}

fn applied_lead(world: &World) -> PartyId {
    world.grant_of(OTHER).project.lead.party
}

/// The directory, the story's grant of the lead up to a stage, what else is taken in, and an application of somebody for the same
/// project that is recommended.
fn beside(until: &str, taken_in: Vec<Order>, by: &Party) -> World {
    let orders = directory().into_iter().chain(story(until)).chain(taken_in);
    World::after(orders.chain(recommended(same_project_by(by))))
}

#[test]
fn a04_one_legal_person_is_not_funded_twice_under_another_code_or_after_a_merger() {
    let on = march(6);
    let (day_before, day_after) = (march(5), march(7));
    let merge = |position, party: &Party, into: &Party, from| take(position, from, party, merged(into, from));
    let rows: Vec<(&str, Vec<Order>, Party, &str)> = vec![
        ("nothing is known of the code", vec![], alias(), "GrantAdmitted"),
        (
            "a further code",
            vec![take(4, on, &lead(), code_added(&alias(), on))],
            alias(),
            "A04_FUNDED_ALREADY",
        ),
        (
            "a code from the day after on",
            vec![take(4, on, &lead(), code_added(&alias(), day_after)).learned_on(day_after)],
            alias(),
            "GrantAdmitted",
        ),
        ("another legal person", vec![], works(), "GrantAdmitted"),
        ("merged into the lead", vec![merge(4, &works(), &lead(), on)], works(), "A04_FUNDED_ALREADY"),
        ("the lead merged into it", vec![merge(4, &lead(), &works(), on)], works(), "A04_FUNDED_ALREADY"),
        (
            "both merged into a third",
            vec![merge(4, &lead(), &group(), day_before), merge(5, &works(), &group(), on)],
            works(),
            "A04_FUNDED_ALREADY",
        ),
        (
            "one after the other",
            vec![merge(4, &lead(), &works(), day_before), merge(5, &works(), &group(), on)],
            group(),
            "A04_FUNDED_ALREADY",
        ),
        (
            "only one of them merged into a third",
            vec![merge(4, &lead(), &group(), on)],
            works(),
            "GrantAdmitted",
        ),
        (
            "merged from the day after on",
            vec![take(4, on, &works(), merged(&lead(), day_after)).learned_on(day_after)],
            works(),
            "GrantAdmitted",
        ),
        (
            "a code of what was merged",
            vec![take(4, SINCE, &works(), code_added(&alias(), SINCE)), merge(5, &works(), &lead(), on)],
            alias(),
            "A04_FUNDED_ALREADY",
        ),
        (
            "an id that the lead's code gave under its other name",
            vec![take(4, SINCE, &under_its_other_name(), recorded(&under_its_other_name(), "大学"))],
            under_its_other_name(),
            "A04_FUNDED_ALREADY",
        ),
    ];
    for (says, taken_in, by, then) in rows {
        // Both orders: the directory first, or the application first.
        let first = beside("contracted", taken_in.clone(), &by);
        assert_eq!(first.outcome(&admit().of(OTHER).on(on)), then, "{says}, the directory first");
        let mut second = beside("contracted", Vec::new(), &by);
        taken_in.iter().for_each(|order| drop(second.execute(order).unwrap()));
        assert_eq!(second.outcome(&admit().of(OTHER).on(on)), then, "{says}, the application first");
    }
}

#[test]
fn a04_what_was_decided_before_it_was_told_stands() {
    let mut world = beside("contracted", Vec::new(), &works());
    world.execute(&admit().of(OTHER)).unwrap();
    // Told late, of a day before the admission.
    world.execute(&take(4, march(5), &works(), merged(&lead(), march(5))).learned_on(march(10))).unwrap();
    assert_eq!(world.outcome(&review(8_500).of(OTHER)), "GrantReviewed");
    assert_eq!(world.outcome(&admit().of(OTHER)), "unchanged");
    // From then on both are weighed, whoever applies.
    let third = GrantId(Uuid::from_u128(0x4));
    for by in [lead(), works()] {
        let mut world = world.clone();
        for order in [apply_for(same_project_by(&by)).of(third), recommend().of(third)] {
            world.execute(&order).unwrap();
        }
        let refused = world.refusal(&admit().of(third).on(march(10)));
        assert_eq!(refused[0].code, "A04_FUNDED_ALREADY", "{:?}", by.code);
    }
}

#[test]
fn a11_an_overdue_acceptance_counts_under_every_id() {
    let late = date(2015, 10, 1);
    let another = |by: &Party| Application {
        title: "Gears 齿轮".to_owned(),
        ends_on: date(2018, 3, 31),
        ..same_project_by(by)
    };
    let after = |taken_in: Vec<Order>, by: &Party| {
        let orders = directory().into_iter().chain(story("contracted")).chain(taken_in);
        World::after(orders.chain(recommended(another(by))))
    };
    let admit_on = |on| admit().of(OTHER).on(on);
    assert_eq!(after(vec![], &works()).outcome(&admit_on(late)), "GrantAdmitted");
    let merge = || vec![take(4, march(4), &lead(), merged(&works(), march(4)))];
    let world = after(merge(), &works());
    let refused = &world.refusal(&admit_on(late))[0];
    assert_eq!(refused.code, "A11_ACCEPTANCE_OVERDUE");
    assert_eq!(refused.facts["other_grant_id"], GRANT.to_string());
    assert_eq!(refused.facts["overdue"], "1");
    assert_eq!(world.outcome(&admit_on(date(2015, 9, 30))), "GrantAdmitted");

    // At the approval too, and there the merger may be told after the admission.
    let steps = [
        admit_on(date(2015, 9, 1)),
        review(8_000).of(OTHER).on(date(2015, 9, 2)),
        publish(AWARD).of(OTHER).on(date(2015, 9, 8)),
    ];
    let mut world = after(vec![], &works());
    steps.iter().for_each(|order| drop(world.execute(order).unwrap()));
    assert_eq!(world.outcome(&approve(AWARD).of(OTHER).on(late)), "GrantApproved");
    world.execute(&take(4, late, &lead(), merged(&works(), late))).unwrap();
    assert_eq!(world.outcome(&approve(AWARD).of(OTHER).on(late)), "A11_ACCEPTANCE_OVERDUE");
    assert_eq!(world.outcome(&approve(AWARD).of(OTHER).on(date(2015, 9, 30))), "GrantApproved");
}

#[test]
fn an_admission_and_an_approval_say_how_far_the_directory_was_taken_in() {
    let filed = |order: &Order| {
        let events = World::after(story("recommended")).execute(order).unwrap();
        match &events[0] {
            FundEvent::GrantAdmitted { filed: Some(Filed { directory, .. }), .. } => *directory,
            other => panic!("{other:?} is no admission"),
        }
    };
    assert_eq!(filed(&admit()), Some(DirectoryPoint { generation: 1, position: 100 }));
    // Never followed, or not verified since the start: as far as it was taken in, nobody knows how far that is.
    assert_eq!(filed(&Order { verified: None, ..admit() }), None);
    let approved = |order: &Order| match &World::after(story("on_notice")).execute(order).unwrap()[0] {
        FundEvent::GrantApproved { directory, .. } => *directory,
        other => panic!("{other:?} is no approval"),
    };
    assert_eq!(approved(&approve(AWARD)), Some(DirectoryPoint { generation: 1, position: 100 }));
    assert_eq!(approved(&Order { verified: None, ..approve(AWARD) }), None);
}

#[test]
fn a_dissolved_party_applies_for_nothing_and_signs_nothing() {
    let dissolved = |party: &Party, from| take(4, from, party, PartyChange::Dissolved { from });
    let apply = || apply_for(same_project_by(&lead())).of(OTHER).on(march(4));
    let world = |from| World::after(directory().into_iter().chain([appropriate(), dissolved(&lead(), from)]));
    let refused = world(march(4)).refusal(&apply());
    assert_eq!((refused[0].code.as_str(), refused[0].field.as_str()), ("PARTY_DISSOLVED", "lead.code"));
    assert_eq!(refused[0].facts["dissolved_from"], "2013-03-04");
    assert_eq!(refused[0].facts["party_id"], lead().party.to_string());
    assert!(refused[0].message.contains("大学"), "{}", refused[0].message);
    // Its last day.
    assert_eq!(world(march(5)).outcome(&apply()), "GrantApplied");

    // It is no lead of a new contract; what is contracted goes on.
    let mut approved = World::after(directory().into_iter().chain(story("approved")));
    approved.execute(&dissolved(&lead(), march(25))).unwrap();
    assert_eq!(approved.outcome(&sign(signing())), "PARTY_DISSOLVED");
    assert_eq!(approved.outcome(&sign(signing()).on(march(24))), "ContractSigned");
    let contracted = directory().into_iter().chain(story("contracted"));
    let contracted = World::after(contracted.chain([dissolved(&lead(), march(26))]));
    assert_eq!(contracted.outcome(&sign(signing()).on(march(27))), "unchanged");
    assert_eq!(contracted.outcome(&verify_payee("a1")), "PayeeVerified");

    // So is a party whose successor was dissolved.
    let merged_first = take(4, SINCE, &works(), merged(&lead(), SINCE));
    let orders =
        [appropriate(), merged_first, take(5, march(1), &lead(), PartyChange::Dissolved { from: march(1) })];
    let world = World::after(directory().into_iter().chain(orders));
    assert_eq!(world.outcome(&apply_for(same_project_by(&works()))), "PARTY_DISSOLVED");
}

#[test]
fn an_application_of_a_merged_party_is_its_successors() {
    let merge = take(4, march(3), &works(), merged(&lead(), march(3)));
    let orders = directory().into_iter().chain([appropriate(), merge]);
    let mut world = World::after(orders.chain([apply_for(same_project_by(&works())).of(OTHER)]));
    let own = world.grant_of(OTHER).project.clone();
    assert_eq!(own.lead.party, lead().party);
    assert_eq!(own.lead.code, works().code, "as it was named");
    assert_eq!(own.allocations[0].party.party, lead().party, "its own share with it");
    // The same again is a repeat, whatever the directory has said since.
    world.execute(&take(5, march(5), &lead(), merged(&group(), march(5)))).unwrap();
    let again = apply_for(same_project_by(&works())).of(OTHER).on(march(6));
    assert_eq!(world.outcome(&again), "unchanged");
    assert_eq!(world.outcome(&apply_for(same_project_by(&lead())).of(OTHER)), "ID_TAKEN");
    // One day before the merger it was itself.
    let orders = directory().into_iter().chain([appropriate()]);
    let early = take(4, march(5), &works(), merged(&lead(), march(5)));
    let world = World::after(orders.chain([early, apply_for(same_project_by(&works())).of(OTHER)]));
    assert_eq!(applied_lead(&world), works().party);
}

#[test]
fn a_further_code_names_the_party_that_has_it() {
    let orders = directory()
        .into_iter()
        .chain([appropriate(), take(4, march(1), &lead(), code_added(&alias(), march(1)))]);
    let world = World::after(orders.chain([apply_for(same_project_by(&alias())).of(OTHER)]));
    assert_eq!(applied_lead(&world), lead().party);
    // A party that is named twice, once by each of its codes, has one share.
    let half = |party: Party| Allocation { party, amount_minor: Some(AWARD / 2) };
    let twice = Application { allocations: vec![half(lead()), half(alias())], ..application() };
    let refused = world.decide(&concord_fund_grant::Fund::shipped(), &apply_for(twice)).unwrap_err().0;
    assert_eq!(refused.kind, RefusalKind::Malformed);
    assert_eq!(refused.broken[0].code, "PARTY_HAS_A_SHARE");
    assert_eq!(refused.broken[0].field, "allocations[1].party.code");
}

#[test]
fn a_contract_names_a_partner_by_any_of_its_codes() {
    let half = |party: Party| Allocation { party, amount_minor: Some(AWARD / 2) };
    let applied = Application { allocations: vec![half(lead()), half(works())], ..application() };
    let other_code = party_of("EU-PIC:999984350");
    let learned = take(4, SINCE, &works(), code_added(&other_code, SINCE));
    let orders = directory().into_iter().chain([learned, appropriate(), apply_for(applied)]);
    let until = [recommend(), admit(), review(8_500), publish(AWARD), approve(AWARD)];
    let mut world = World::after(orders.chain(until));
    let contract = |partner: Party| {
        let mut signing = signing();
        signing.allocations = vec![half(lead()), half(partner)];
        sign(signing)
    };
    let signed = contract(other_code.clone());
    world.execute(&signed).unwrap();
    let parties: Vec<PartyId> = world.grant().parties().map(|party| party.party).collect();
    assert_eq!(parties, [lead().party, works().party]);
    assert_eq!(world.outcome(&signed), "unchanged");
    // The lead under another code is no partner of itself.
    let orders = directory().into_iter().chain([take(4, SINCE, &lead(), code_added(&alias(), SINCE))]);
    let world = World::after(orders.chain(story("approved")));
    assert_eq!(world.outcome(&contract(alias())), "PARTY_HAS_A_SHARE");
}

// ---- The agreement ---------------------------------------------------------------------------------------------------

#[test]
fn a01_a_lead_is_a_party_of_its_agreement_under_any_code_and_after_a_succession() {
    let between = |party: &Party| {
        let parties = vec![
            BackingParty { party: party.party, code: party.code.clone() },
            BackingParty { party: group().party, code: group().code },
        ];
        let drafted = backing::take(10, march(1), Change::Drafted { parties });
        [drafted, backing::take(11, march(2), backing::in_force(backing::long()))]
    };
    let named = backing::name_it();
    let learned = |change: PartyChange, of: &Party| take(4, march(2), of, change);
    // The directory has the lead under another code, and the agreement names it so.
    let world = |between: [Order; 2], taken_in: Option<Order>| {
        let orders = directory().into_iter().chain(tranche_story("authorised")).chain(between);
        World::after(orders.chain(taken_in))
    };
    assert_eq!(world(between(&works()), None).outcome(&named), "BACKING_WITHOUT_LEAD");
    let alias_known = learned(code_added(&alias(), march(2)), &lead());
    assert_eq!(world(between(&alias()), Some(alias_known)).outcome(&named), "BackingNamed");
    let lead_merged = || Some(learned(merged(&works(), march(2)), &lead()));
    assert_eq!(world(between(&works()), lead_merged()).outcome(&named), "BackingNamed");
    let later = Some(take(4, march(2), &lead(), merged(&works(), date(2013, 4, 2))));
    assert_eq!(world(between(&works()), later).outcome(&named), "BACKING_WITHOUT_LEAD", "not yet merged");

    // The lead was merged, and its successor has taken its place in the agreement.
    let mut world = world(between(&lead()), None);
    world.execute(&named).unwrap();
    let successor = BackingParty { party: works().party, code: works().code };
    let succeeded = Change::Succeeded { party: lead().party, successor };
    world.execute(&backing::take(12, backing::april(1), succeeded)).unwrap();
    let pay = instruct(1, 1).on(backing::april(10));
    assert_eq!(world.outcome(&pay), "A01_LEAD_NO_PARTY");
    let merge = take(13, backing::april(1), &lead(), merged(&works(), backing::april(1)));
    world.execute(&merge).unwrap();
    assert_eq!(world.outcome(&pay), "TrancheInstructed");
}

// ---- Who acts --------------------------------------------------------------------------------------------------------

/// The directory with a code and an organisation of the lead's, one of the works', and a merger of the group into the lead.
fn who_acts() -> Vec<Order> {
    let mut orders = directory();
    orders.extend([
        take(4, SINCE, &lead(), code_added(&alias(), SINCE)),
        take(5, SINCE, &lead(), represented("Lead-Office", SINCE)),
        take(6, SINCE, &works(), represented("works-office", SINCE)),
        take(7, SINCE, &works(), represented("agency", SINCE)),
        take(8, SINCE, &lead(), represented("agency", march(5))),
        take(9, march(29), &lead(), represented_no_more("agency", march(29))),
        take(10, march(1), &group(), merged(&lead(), march(1))),
    ]);
    orders
}

/// What a caller may write after the `@`, and whether it is the lead's on a day of March; `None` where the record does not say.
fn organisations() -> Vec<(String, Option<bool>)> {
    let id = |party: Party| party.party.to_string();
    vec![
        (lead().code.to_string(), Some(true)),
        (lead().code.to_string().to_lowercase(), Some(true)),
        (alias().code.to_string(), Some(true)),
        ("CN-ORG:799655058".to_owned(), Some(true)),
        (group().code.to_string(), Some(true)),
        (id(lead()), Some(true)),
        (id(lead()).to_uppercase(), Some(true)),
        (id(group()), Some(true)),
        ("lead-office".to_owned(), Some(true)),
        ("LEAD-OFFICE".to_owned(), Some(true)),
        (works().code.to_string(), Some(false)),
        (id(works()), Some(false)),
        ("works-office".to_owned(), Some(false)),
        ("Works-Office".to_owned(), Some(false)),
        // A code that the directory does not know is a party all the same.
        ("EU-PIC:999984350".to_owned(), Some(false)),
        ("whatever".to_owned(), None),
        // An id of the identity system, and of no party.
        (Uuid::from_u128(77).to_string(), None),
    ]
}

#[test]
fn a13_the_applicants_side_is_the_leads_and_the_offices_is_not() {
    let before = || who_acts().into_iter().chain([appropriate()]);
    let applied = || World::after(who_acts().into_iter().chain(story("applied")));
    let payable = || World::after(who_acts().into_iter().chain(story("payable")));
    for (organisation, is_leads) in organisations() {
        let by = |order: Order| order.by("somebody", &organisation);
        let own = |then: &'static str| if is_leads == Some(false) { "A13_NOT_THE_APPLICANT" } else { then };
        let office =
            |then: &'static str| if is_leads == Some(true) { "A13_APPLICANT_IN_OFFICE" } else { then };
        let world = World::after(before());
        assert_eq!(world.outcome(&by(apply_for(application()))), own("GrantApplied"), "{organisation}");
        assert_eq!(applied().outcome(&by(withdraw("x"))), own("GrantWithdrawn"), "{organisation}");
        assert_eq!(payable().outcome(&by(request(1, None))), own("TrancheRequested"), "{organisation}");
        assert_eq!(applied().outcome(&by(recommend())), office("GrantRecommended"), "{organisation}");
        assert_eq!(payable().outcome(&by(verify_payee("a2"))), office("PayeeVerified"), "{organisation}");
    }
    let refused = &payable().refusal(&request(1, None).by("somebody", "works-office"))[0];
    assert_eq!(refused.facts["organisation"], "works-office");
    assert_eq!(refused.facts["lead_code"], lead().code.to_string());
}

#[test]
fn a13_an_organisation_that_stands_for_two_stands_for_each_from_its_day_to_its_last() {
    let world = World::after(who_acts().into_iter().chain(story("applied")));
    let recommended = |on| world.outcome(&recommend().on(on).by("somebody", "agency"));
    let withdrawn = |on| world.outcome(&withdraw("x").on(on).by("somebody", "agency"));
    assert_eq!(
        (recommended(march(4)).as_str(), withdrawn(march(4)).as_str()),
        ("GrantRecommended", "A13_NOT_THE_APPLICANT")
    );
    assert_eq!(
        (recommended(march(5)).as_str(), withdrawn(march(5)).as_str()),
        ("A13_APPLICANT_IN_OFFICE", "GrantWithdrawn")
    );
    assert_eq!(recommended(march(28)), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(
        (recommended(march(29)).as_str(), withdrawn(march(29)).as_str()),
        ("GrantRecommended", "A13_NOT_THE_APPLICANT")
    );
}

#[test]
fn a13_the_organisation_that_applied_does_no_job_of_the_office_however_it_is_spelled() {
    let world = World::after(story("applied"));
    for organisation in ["the-university", "The-University", "THE-UNIVERSITY"] {
        let refused = world.outcome(&recommend().by("somebody", organisation));
        assert_eq!(refused, "A13_APPLICANT_IN_OFFICE", "{organisation}");
    }
    assert_eq!(world.outcome(&recommend().by("somebody", "the-universities")), "GrantRecommended");
    // It is recorded later that it stands for another party: whoever is of that one is of the applicant's organisation too.
    let recorded = take(4, SINCE, &works(), represented("the-university", SINCE));
    let world = World::after(directory().into_iter().chain(story("applied")).chain([recorded]));
    let works_code = works().code.to_string();
    assert_eq!(world.outcome(&recommend().by("somebody", &works_code)), "A13_APPLICANT_IN_OFFICE");
}

#[test]
fn a13_a_migrated_award_has_a_lead_that_does_no_job_of_the_office() {
    let world = World::after(directory().into_iter().chain(story("migrated")));
    let verify = |organisation: &str| world.outcome(&verify_payee("a1").by("somebody", organisation));
    assert_eq!(verify(&lead().code.to_string()), "A13_APPLICANT_IN_OFFICE");
    assert_eq!(verify(&works().code.to_string()), "PayeeVerified");
    // Nothing was taken in of the directory: a code is a party all the same.
    let bare = World::after(story("migrated"));
    let by_lead = verify_payee("a1").by("somebody", &lead().code.to_string());
    assert_eq!(bare.outcome(&by_lead), "A13_APPLICANT_IN_OFFICE");
}

#[test]
fn a13_a_partner_reports_its_spending_and_objections_are_anybodys() {
    let world = money::with(directory(), money::paid());
    let by = |order: Order, organisation: &str| world.outcome(&order.by("somebody", organisation));
    let partner = money::partner().code.to_string();
    assert_eq!(by(report(1, 100), "whatever"), "SpendReported");
    assert_eq!(by(report(1, 100), &lead().code.to_string()), "SpendReported");
    assert_eq!(by(report(1, 100), &partner), "SpendReported");
    assert_eq!(by(report(1, 100), &works().code.to_string()), "A13_NOT_A_PARTY");
    // What the lead holds the lead passes on.
    let transfer =
        ShareTransfer { to: money::partner().party, amount: cny(1), bank_reference: "t-9".to_owned() };
    let pass_on = || money::recipient(money::april(5), GrantCommand::TransferShare(transfer.clone()));
    assert_eq!(by(pass_on(), &lead().code.to_string()), "ShareTransferred");
    assert_eq!(by(pass_on(), &partner), "A13_NOT_THE_APPLICANT");
    let objection = crate::objection::raise(1, "copied");
    let on_notice = World::after(directory().into_iter().chain(story("on_notice")));
    let raised = objection.by("somebody", &works().code.to_string());
    assert_eq!(on_notice.outcome(&raised), "ObjectionRaised");
}

// ---- From the directory ----------------------------------------------------------------------------------------------

#[test]
fn what_was_taken_in_before_is_no_news() {
    let mut world = World::after(directory());
    for order in directory() {
        assert_eq!(world.outcome(&order), "unchanged");
    }
    let merge = take(7, march(1), &works(), merged(&lead(), march(1)));
    assert_eq!(world.outcome(&merge), "PartyChanged");
    world.execute(&merge).unwrap();
    assert_eq!(world.outcome(&merge), "unchanged");
    assert_eq!(world.outcome(&take(6, march(1), &works(), code_added(&alias(), SINCE))), "unchanged", "late");
    // It happened in the other log's future of this one.
    let ahead = take(8, march(9), &lead(), code_added(&alias(), march(9))).on(march(8));
    assert_eq!(world.outcome(&ahead), "PartyChanged");
}

#[test]
fn what_a_later_generation_has_lost_is_not_so() {
    let admit_other = admit().of(OTHER);
    let learned = [
        take(4, SINCE, &lead(), code_added(&alias(), SINCE)),
        take(5, SINCE, &works(), merged(&lead(), SINCE)),
        take(6, SINCE, &lead(), represented("lead-office", SINCE)),
    ];
    for (by, kept) in [(alias(), 0), (works(), 1)] {
        // Named before the directory said so, so that the grant keeps its id.
        let mut world = beside("contracted", Vec::new(), &by);
        learned.iter().for_each(|order| drop(world.execute(order).unwrap()));
        assert_eq!(world.outcome(&admit_other), "A04_FUNDED_ALREADY");
        let in_office = verify_payee("a9").by("somebody", "lead-office");
        assert_eq!(world.outcome(&in_office), "A13_APPLICANT_IN_OFFICE");
        for order in directory() {
            world.execute(&of_generation(order, 2)).unwrap();
        }
        assert_eq!(world.outcome(&admit_other), "GrantAdmitted", "{:?}", by.code);
        assert_eq!(world.outcome(&in_office), "PayeeVerified");
        world.execute(&of_generation(learned[kept].clone(), 2)).unwrap();
        assert_eq!(world.outcome(&admit_other), "A04_FUNDED_ALREADY", "{:?}", by.code);
    }
}

#[test]
fn an_event_of_the_directory_becomes_what_is_taken_in() {
    let cause = Cause { event: Uuid::from_u128(7), generation: 2, position: 7, effective_on: march(3) };
    let (party, from) = (lead().party, march(2));
    let organisation = OrganisationId::new("lead-office").unwrap();
    let rows = [
        (
            AgreementEvent::PartyRecorded {
                party,
                code: lead().code,
                kind: PartyKind::University,
                name: "大学".to_owned(),
                region: None,
                industry: None,
                certificate: None,
            },
            Some(recorded(&lead(), "大学")),
        ),
        (
            AgreementEvent::PartyCodeAdded { party, code: alias().code, from, certificate: None },
            Some(code_added(&alias(), from)),
        ),
        (
            AgreementEvent::PartyRenamed { party, name: "新".to_owned(), from },
            Some(PartyChange::Renamed { name: "新".to_owned(), from }),
        ),
        (AgreementEvent::PartyMerged { party, into: works().party, from }, Some(merged(&works(), from))),
        (AgreementEvent::PartyDissolved { party, from }, Some(PartyChange::Dissolved { from })),
        (
            AgreementEvent::RepresentationRecorded {
                party,
                organisation: organisation.clone(),
                authority: "辽科发〔2013〕9号".to_owned(),
                from,
            },
            Some(represented("lead-office", from)),
        ),
        (
            AgreementEvent::RepresentationEnded { party, organisation, from },
            Some(represented_no_more("lead-office", from)),
        ),
        (AgreementEvent::PartyReclassified { party, kind: PartyKind::Institute, from }, None),
        (AgreementEvent::PartyRelocated { party, region: "210200".parse().unwrap(), from }, None),
    ];
    for (event, change) in rows {
        let reactions = FollowAgreements.react(&cause, &event);
        let Some(change) = change else {
            assert!(reactions.is_empty(), "{event:?}");
            continue;
        };
        let [reaction] = reactions.as_slice() else { panic!("{reactions:?}") };
        let at = AgreementPoint { generation: 2, position: 7, event: cause.event };
        let fact = PartyFact { at, happened_on: march(3), change };
        assert_eq!(reaction.command, Command::Party(party, PartyCommand::Take(fact)));
        assert_eq!((reaction.target, reaction.deadline), (party.0, Deadline::Stays));
    }
}
