//! Every rule, just inside and just outside.

use crate::world::*;
use concord_events::fund::{FundingMode, LimitOn, TrancheCondition};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        contract::Signing,
        opening::{Application, MigratedAward},
        tranche::TrancheCommand,
    },
    programme::ProgrammeCommand,
};
use concord_kernel::Date;
use jiff::civil::date;

/// One row: what was, what is asked, what comes of it.
pub struct Row {
    says: &'static str,
    given: Vec<Order>,
    when: Order,
    then: &'static str,
}

pub fn row(says: &'static str, given: Vec<Order>, when: Order, then: &'static str) -> Row {
    Row { says, given, when, then }
}

pub fn check(rows: impl IntoIterator<Item = Row>) {
    for Row { says, given, when, then } in rows {
        assert_eq!(World::after(given).outcome(&when), then, "{says}");
    }
}

/// The story, with more before its last steps.
fn with(until: &str, more: impl IntoIterator<Item = Order>) -> Vec<Order> {
    story(until).into_iter().chain(more).collect()
}

fn mode() -> LimitOn {
    LimitOn::Mode(FundingMode::NonRepayable)
}

fn region(code: &str) -> LimitOn {
    LimitOn::Region(code.parse().unwrap())
}

fn limit(on: LimitOn, minor: i64) -> Order {
    programme(march(22), ProgrammeCommand::SetSubLimit { on, limit: Some(cny(minor)) })
}

fn cut(minor: i64) -> Order {
    programme(march(22), ProgrammeCommand::Cut { amount: cny(minor) })
}

fn supplement(minor: i64) -> Order {
    programme(march(22), ProgrammeCommand::Supplement { amount: cny(minor) })
}

fn signing_of(minor: i64) -> Signing {
    let tranches = vec![
        planned(1, minor / 2, TrancheCondition::Contract),
        planned(2, minor - minor / 2, TrancheCondition::FinalAcceptance),
    ];
    Signing { amount: cny(minor), tranches, ..signing() }
}

fn signing_as(first: i64, last: TrancheCondition) -> Signing {
    let tranches = vec![planned(1, first, TrancheCondition::Contract), planned(2, AWARD - first, last)];
    Signing { tranches, ..signing() }
}

fn lifted(on: LimitOn) -> Order {
    programme(march(22), ProgrammeCommand::SetSubLimit { on, limit: None })
}

#[test]
fn a01_nothing_is_paid_without_a_basis() {
    let authorised = |until| with(until, [request(1, None), authorise(1)]);
    check([
        row("no contract yet", story("approved"), instruct(1, 1), "A01_NO_CONTRACT"),
        row("no verified account", authorised("contracted"), instruct(1, 1), "A01_PAYEE_NOT_VERIFIED"),
        row("contract and account", authorised("payable"), instruct(1, 1), "TrancheInstructed"),
        row(
            "a migrated award has a contract",
            with("migrated", [request(1, None), authorise(1)]),
            instruct(1, 1),
            "A01_PAYEE_NOT_VERIFIED",
        ),
    ]);
}

#[test]
fn a02_no_more_is_awarded_than_budgeted() {
    let left = |minor: i64| with("on_notice", [cut(APPROPRIATED - minor)]);
    let limited = |on: LimitOn, minor: i64| with("on_notice", [limit(on, minor)]);
    check([
        row("all that is available", left(AWARD), approve(AWARD), "GrantApproved"),
        row("one fen more", left(AWARD - 1), approve(AWARD), "A02_ABOVE_AVAILABLE"),
        row("the mode's limit", limited(mode(), AWARD), approve(AWARD), "GrantApproved"),
        row("one fen above it", limited(mode(), AWARD - 1), approve(AWARD), "A02_ABOVE_SUB_LIMIT"),
        row("the district's limit", limited(region("210102"), AWARD), approve(AWARD), "GrantApproved"),
        row("one fen above it", limited(region("210102"), AWARD - 1), approve(AWARD), "A02_ABOVE_SUB_LIMIT"),
        row(
            "the city's limit holds for its districts",
            limited(region("210100"), AWARD),
            approve(AWARD),
            "GrantApproved",
        ),
        row("one fen above it", limited(region("210100"), AWARD - 1), approve(AWARD), "A02_ABOVE_SUB_LIMIT"),
        row(
            "the province's limit holds for its cities",
            limited(region("210000"), AWARD - 1),
            approve(AWARD),
            "A02_ABOVE_SUB_LIMIT",
        ),
        row("another city's limit", limited(region("210200"), 0), approve(AWARD), "GrantApproved"),
        row(
            "another mode's limit",
            limited(LimitOn::Mode(FundingMode::Repayable), 0),
            approve(AWARD),
            "GrantApproved",
        ),
        row(
            "a limit that was lifted",
            with("on_notice", [limit(mode(), 0), lifted(mode())]),
            approve(AWARD),
            "GrantApproved",
        ),
        row(
            "every broken rule is told",
            with("on_notice", [limit(mode(), 1), limit(region("210100"), 1), cut(APPROPRIATED)]),
            approve(AWARD),
            "A02_ABOVE_AVAILABLE, A02_ABOVE_SUB_LIMIT, A02_ABOVE_SUB_LIMIT",
        ),
        row(
            "an import within the limit",
            vec![appropriate(), limit(mode(), AWARD)],
            import(award(plan())).on(march(31)),
            "AwardImported",
        ),
        row(
            "an import above it",
            vec![appropriate(), limit(mode(), AWARD - 1)],
            import(award(plan())).on(march(31)),
            "A02_ABOVE_SUB_LIMIT",
        ),
    ]);
}

#[test]
fn a02_a_programme_keeps_what_is_taken() {
    check([
        row("cut all that is available", story("approved"), cut(APPROPRIATED - AWARD), "ProgrammeCut"),
        row(
            "cut one fen of what is reserved",
            story("approved"),
            cut(APPROPRIATED - AWARD + 1),
            "A02_ABOVE_AVAILABLE",
        ),
        row("limit what is taken", story("approved"), limit(mode(), AWARD), "SubLimitSet"),
        row("limit one fen below", story("approved"), limit(mode(), AWARD - 1), "A02_LIMIT_BELOW_TAKEN"),
        row(
            "limit the city to what is taken",
            story("contracted"),
            limit(region("210100"), AWARD).on(march(31)),
            "SubLimitSet",
        ),
        row(
            "limit it one fen below",
            story("contracted"),
            limit(region("210100"), AWARD - 1).on(march(31)),
            "A02_LIMIT_BELOW_TAKEN",
        ),
        row(
            "as much as an i64 holds",
            vec![appropriate()],
            supplement(i64::MAX - APPROPRIATED),
            "ProgrammeSupplemented",
        ),
        row("one fen more", vec![appropriate()], supplement(i64::MAX - APPROPRIATED + 1), "A02_TOO_LARGE"),
        row(
            "so with an import",
            vec![appropriate(), supplement(i64::MAX - APPROPRIATED)],
            import(award(plan())).on(march(31)),
            "A02_TOO_LARGE",
        ),
    ]);
}

#[test]
fn a02_no_more_is_paid_than_awarded() {
    check([
        row("contract what was approved", story("approved"), sign(signing_of(AWARD)), "ContractSigned"),
        row("contract one fen more", story("approved"), sign(signing_of(AWARD + 1)), "A02_ABOVE_APPROVED"),
        row("ask for what is planned", story("payable"), request(1, Some(AWARD / 2)), "TrancheRequested"),
        row("ask for less", story("payable"), request(1, Some(1)), "TrancheRequested"),
        row("ask for one fen more", story("payable"), request(1, Some(AWARD / 2 + 1)), "A02_ABOVE_PLANNED"),
    ]);
}

#[test]
fn the_plan_follows_the_rulebook() {
    let contract = TrancheCondition::Contract;
    let accepted = TrancheCondition::FinalAcceptance;
    check([
        row("60 % at first", story("approved"), sign(signing_as(AWARD / 10 * 6, accepted)), "ContractSigned"),
        row(
            "one fen more",
            story("approved"),
            sign(signing_as(AWARD / 10 * 6 + 1, accepted)),
            "TRANCHE_FIRST_ABOVE_SHARE",
        ),
        row(
            "the last before acceptance",
            story("approved"),
            sign(signing_as(AWARD / 2, contract)),
            "TRANCHE_LAST_BEFORE_ACCEPTANCE",
        ),
        row("a condition not on record", story("payable"), request(3, None), "TRANCHE_CONDITION_NOT_MET"),
        row("a migrated award declares it", story("migrated"), request(3, None), "TrancheRequested"),
        row("no such tranche", story("payable"), request(4, None), "TRANCHE_NOT_FOUND"),
    ]);
}

#[test]
fn a08_the_notice_hangs_its_days() {
    check([
        row("on the last day", story("on_notice"), approve(AWARD).on(march(21)), "A08_NOTICE_RUNNING"),
        row("on the day after", story("on_notice"), approve(AWARD).on(march(22)), "GrantApproved"),
        row(
            "another amount than published",
            story("on_notice"),
            approve(AWARD - 1),
            "A08_PUBLISHED_OTHERWISE",
        ),
        row(
            "both",
            story("on_notice"),
            approve(AWARD - 1).on(march(21)),
            "A08_NOTICE_RUNNING, A08_PUBLISHED_OTHERWISE",
        ),
        row("never published", story("reviewed"), approve(AWARD), "A08_NOT_PUBLISHED"),
        row(
            "published anew, the count starts again",
            with("on_notice", [publish(AWARD - 1).on(march(18))]),
            approve(AWARD - 1),
            "A08_NOTICE_RUNNING",
        ),
        row(
            "in a year whose calendar is not known",
            story("reviewed"),
            publish(AWARD).on(date(2035, 3, 12)),
            "A08_CALENDAR_MISSING",
        ),
    ]);
}

#[test]
fn a13_no_two_incompatible_jobs_in_one_hand() {
    let office = |order: Order, person: &str| order.by(person, "funding-office");
    check([
        row(
            "review, then approve",
            story("on_notice"),
            office(approve(AWARD), "secretary"),
            "A13_CONFLICTING_DUTIES",
        ),
        row("recommend, then approve", story("on_notice"), office(approve(AWARD), "clerk"), "GrantApproved"),
        row(
            "approve, then authorise",
            with("payable", [request(1, None)]),
            office(authorise(1), "chair"),
            "A13_CONFLICTING_DUTIES",
        ),
        row(
            "authorise, then instruct",
            tranche_story("authorised"),
            office(instruct(1, 1), "authoriser"),
            "A13_CONFLICTING_DUTIES",
        ),
        row(
            "instruct, then settle",
            tranche_story("instructed"),
            office(settle(1, "b"), "cashier"),
            "A13_CONFLICTING_DUTIES",
        ),
        row(
            "settle, then instruct again",
            tranche_story("payment_returned"),
            office(instruct(1, 1), "bookkeeper"),
            "A13_CONFLICTING_DUTIES",
        ),
        row(
            "the same person instructs again",
            tranche_story("payment_returned"),
            instruct(1, 1),
            "TrancheInstructed",
        ),
        row(
            "the applicant's colleague admits",
            story("recommended"),
            admit().by("colleague", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
        row(
            "the applicant's colleague rejects",
            story("recommended"),
            reject("x").by("colleague", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
        row(
            "the applicant's colleague asks",
            story("payable"),
            request(1, None).by("colleague", "the-university"),
            "TrancheRequested",
        ),
        row(
            "before the stage, and before the rules",
            story("on_notice"),
            office(approve(AWARD - 1).on(march(21)), "secretary"),
            "A13_CONFLICTING_DUTIES, A08_NOTICE_RUNNING, A08_PUBLISHED_OTHERWISE",
        ),
        row(
            "before a wrong stage",
            story("applied"),
            admit().by("colleague", "the-university"),
            "A13_APPLICANT_IN_OFFICE, WRONG_STAGE",
        ),
        row(
            "a repeat changes nothing, whoever repeats it",
            story("approved"),
            office(approve(AWARD), "secretary"),
            "unchanged",
        ),
    ]);
}

#[test]
fn a14_a_banks_reference_reports_one_payment() {
    let first = [request(1, None), authorise(1), instruct(1, 1), settle(1, "b-1")];
    let second = [request(2, None), authorise(2), instruct(2, 2)];
    let both = with("payable", first.into_iter().chain(second));
    check([
        row("its own reference", both.clone(), settle(2, "b-2"), "TrancheSettled"),
        row("the first tranche's", both.clone(), settle(2, "b-1"), "A14_REFERENCE_USED"),
        row("the first tranche's, as a return", both.clone(), send_back(2, "b-1", "x"), "A14_REFERENCE_USED"),
        row("a return of its own", both.clone(), send_back(2, "b-3", "x"), "PaymentReturned"),
        row("its own, as a return", both.clone(), send_back(1, "b-1", "x"), "A14_REFERENCE_USED"),
    ]);
    let back = both.into_iter().chain([send_back(1, "r-1", "x"), instruct(1, 1)]);
    check([row("its return's, as a payment", back.collect(), settle(1, "r-1"), "A14_REFERENCE_USED")]);
}

#[test]
fn a14_an_instruction_pays_one_tranche() {
    let second =
        with("payable", [request(1, None), authorise(1), instruct(1, 1), request(2, None), authorise(2)]);
    check([
        row("its own instruction", second.clone(), instruct(2, 2), "TrancheInstructed"),
        row("that of the first", second, instruct(2, 1), "A14_INSTRUCTION_USED"),
        row(
            "another one after a return",
            tranche_story("payment_returned"),
            instruct(1, 9),
            "A14_ANOTHER_INSTRUCTION",
        ),
    ]);
}

#[test]
fn dates_lie_within_their_limits() {
    let late = |order: Order, days: i8| order.on(march(1)).learned_on(march(1 + days));
    let april = |day| date(2013, 4, day);
    let paid = |order: Order, on: Date, today: Date| Order { on, today, ..order };
    check([
        row("an appropriation five days back", vec![], late(appropriate(), 5), "ProgrammeAppropriated"),
        row("six days back", vec![], late(appropriate(), 6), "EFFECTIVE_TOO_FAR_BACK"),
        row(
            "an application thirty days back",
            vec![appropriate()],
            late(apply_for(application()), 30),
            "GrantApplied",
        ),
        row(
            "thirty-one",
            vec![appropriate()],
            paid(apply_for(application()), march(1), april(1)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        row(
            "a settlement five days back",
            tranche_story("instructed"),
            paid(settle(1, "b"), march(31), april(5)),
            "TrancheSettled",
        ),
        row(
            "six",
            tranche_story("instructed"),
            paid(settle(1, "b"), march(31), april(6)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        row(
            "a notice thirty days back",
            story("reviewed"),
            paid(publish(AWARD), march(12), april(11)),
            "NoticePublished",
        ),
        row(
            "a notice thirty-one",
            story("reviewed"),
            paid(publish(AWARD), march(12), april(12)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        row("tomorrow", story("applied"), paid(recommend(), march(6), march(5)), "EFFECTIVE_AFTER_TODAY"),
        row(
            "an import of long ago",
            vec![],
            paid(import(award(plan())), march(1), date(2026, 1, 1)),
            "AwardImported",
        ),
        row("a step on the day of the last", story("applied"), recommend().on(march(4)), "GrantRecommended"),
        row(
            "a step before the last",
            story("applied"),
            paid(recommend(), march(3), march(5)),
            "STEP_BEFORE_THE_LAST",
        ),
        row(
            "a tranche before its contract",
            story("payable"),
            paid(request(1, None), march(24), march(31)),
            "STEP_BEFORE_THE_LAST",
        ),
        row(
            "a cut before the programme",
            vec![appropriate()],
            paid(cut(1), date(2013, 2, 28), march(2)),
            "STEP_BEFORE_THE_LAST",
        ),
        row("before the first rulebook", vec![], appropriate().on(date(2012, 9, 14)), "NO_RULEBOOK"),
        row("on its first day", vec![], appropriate().on(date(2012, 9, 15)), "ProgrammeAppropriated"),
    ]);
}

#[test]
fn a_currency_is_the_programmes() {
    let asks_euro = Application { requested: eur(AWARD), total_budget: eur(3 * AWARD), ..application() };
    let euro_award = MigratedAward { amount: eur(AWARD), ..award(plan()) };
    let request_in_euro =
        tranche(march(31), "applicant", 1, TrancheCommand::Request { amount: Some(eur(1)) });
    let twice = "CURRENCY_NOT_THE_PROGRAMMES, CURRENCY_NOT_THE_PROGRAMMES";
    let once = "CURRENCY_NOT_THE_PROGRAMMES";
    check([
        row("an application", story("absent"), apply_for(asks_euro), twice),
        row("an import", story("absent"), import(euro_award), once),
        row("an award", story("on_notice"), meeting(march(22), vec![(GRANT, eur(AWARD))]), once),
        row("a contract", story("approved"), sign(Signing { amount: eur(AWARD), ..signing() }), once),
        row("a request", story("payable"), request_in_euro, once),
        row(
            "a supplement",
            story("absent"),
            programme(march(22), ProgrammeCommand::Supplement { amount: eur(1) }),
            once,
        ),
    ]);
}

#[test]
fn only_the_non_repayable_mode_is_offered() {
    for mode in FundingMode::ALL {
        let offered = mode == FundingMode::NonRepayable;
        let applied = Application { mode, ..application() };
        let awarded = MigratedAward { mode, ..award(plan()) };
        check([
            row(
                "applied for",
                story("absent"),
                apply_for(applied),
                if offered { "GrantApplied" } else { "MODE_NOT_OFFERED" },
            ),
            row(
                "imported",
                story("absent"),
                import(awarded),
                if offered { "AwardImported" } else { "MODE_NOT_OFFERED" },
            ),
        ]);
    }
}

#[test]
fn an_import_goes_into_its_own_programme() {
    let other_year = MigratedAward { year: 2012, ..award(plan()) };
    let other_fund = MigratedAward { fund: "another".to_owned(), ..award(plan()) };
    check([
        row("the same fund, year and currency", story("absent"), import(award(plan())), "AwardImported"),
        row("another year", story("absent"), import(other_year), "PROGRAMME_DIFFERS"),
        row("another fund", story("absent"), import(other_fund), "PROGRAMME_DIFFERS"),
        row("none yet: it is opened", vec![], import(award(plan())), "AwardImported"),
    ]);
}

/// What a refusal is worth: it says what to do, in both languages, with the facts and the rulebooks.
#[test]
fn a_refusal_says_what_and_what_to_do() {
    let world = World::after(tranche_story("instructed"));
    let refused = world.clone().execute(&instruct(1, 2)).unwrap_err().0;
    assert_eq!(refused.rulebook, "2012-09");
    assert_eq!(refused.terms_rulebook.as_deref(), Some("2012-09"));
    let refused = World::after(story("payable")).execute(&request(1, Some(AWARD))).unwrap_err().0;
    let broken = &refused.broken[0];
    assert_eq!(broken.field, "amount");
    assert_eq!(
        broken.message,
        "the contract plans 50,000.00 CNY for tranche 1; ask for 50,000.00 CNY or less (A02)"
    );
    assert_eq!(broken.message_zh, "任务书第1笔计划拨款50,000.00 CNY；申请金额不得超过该数（A02）");
    assert_eq!(broken.facts["planned_minor"], "5000000");
    assert_eq!(broken.facts["asked_minor"], "10000000");
}

/// The id of a grant is not that of a programme, and the other way round.
#[test]
fn an_id_is_of_one_thing() {
    let on_programme =
        |command| order(march(31), "x", Command::Grant(concord_kernel::id::GrantId(PROGRAMME.0), command));
    check([
        row(
            "apply under a programme's id",
            story("absent"),
            on_programme(GrantCommand::Apply(Box::new(application()))),
            "ID_TAKEN",
        ),
        row(
            "a grant that is a programme",
            story("absent"),
            on_programme(GrantCommand::Tranche(1, TrancheCommand::Authorise)),
            "GRANT_NOT_FOUND",
        ),
        row("an application to no programme", vec![], apply_for(application()), "PROGRAMME_NOT_FOUND"),
    ]);
}
