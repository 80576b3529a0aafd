//! In force and out of it: days, terms, renewals, versions.

use crate::world::*;
use concord_agreement::agreement::{Standing, force::ForceCommand, work::WorkCommand};
use concord_events::agreement::{AgreementEvent, Changes, Term};
use concord_kernel::Date;
use jiff::civil::date;
use proptest::prelude::*;

const fn term(from: Date, until: Date) -> Term {
    Term { from, until }
}

/// What an event says of the days in force.
fn in_force(event: &AgreementEvent) -> Option<Term> {
    match event {
        AgreementEvent::AgreementSigned { in_force, .. }
        | AgreementEvent::AgreementRenewed { in_force, .. }
        | AgreementEvent::AgreementAmended { in_force, .. } => *in_force,
        AgreementEvent::AgreementResumed { in_force, .. } => Some(*in_force),
        other => panic!("{other:?} says nothing of the days in force"),
    }
}

#[test]
fn an_agreement_is_in_force_from_the_later_of_the_last_signature_and_the_terms_first_day() {
    for (last_on, from) in [
        (date(2013, 3, 31), TERM.from),
        (date(2013, 4, 1), TERM.from),
        (date(2013, 4, 2), date(2013, 4, 2)),
        (TERM.until, TERM.until),
    ] {
        let (world, _) = story("partially_signed");
        let order = sign(&university(), last_on);
        assert_eq!(in_force(&world.event(&order)), Some(term(from, TERM.until)), "signed on {last_on}");
        let world = world.and([order]);
        assert_eq!(world.agreement().standing(from), Standing::InForce);
        let before = world.agreement().standing(from.yesterday().unwrap());
        assert!(matches!(before, Standing::NotBegun | Standing::PartiallySigned), "{before:?}");
    }
}

#[test]
fn signatures_that_are_learned_late_count_by_their_own_days() {
    let (world, _) = story("drafted");
    let works_last = sign(&works(), date(2013, 4, 20));
    let university_first = sign(&university(), date(2013, 4, 10)).learned_on(date(2013, 4, 21));
    let world = world.and([works_last]);
    assert_eq!(in_force(&world.event(&university_first)), Some(term(date(2013, 4, 20), TERM.until)));
    let world = world.and([university_first]);
    let on = |day| world.agreement().standing(day);
    assert_eq!(on(date(2013, 4, 9)), Standing::Drafted);
    assert_eq!(on(date(2013, 4, 10)), Standing::PartiallySigned);
    assert_eq!(on(date(2013, 4, 19)), Standing::PartiallySigned);
    assert_eq!(on(date(2013, 4, 20)), Standing::InForce);
}

#[test]
fn only_the_last_signature_says_that_the_agreement_is_in_force() {
    let (world, _) = story("drafted");
    assert_eq!(in_force(&world.event(&sign(&works(), date(2013, 3, 5)))), None);
}

#[test]
fn the_calendar_ends_an_agreement_the_day_after_its_last_day() {
    let (world, _) = story("in_force");
    let on = |day| world.agreement().standing(day);
    assert_eq!(on(date(2013, 2, 28)), Standing::Absent);
    assert_eq!(on(DRAFTED_ON), Standing::Drafted);
    assert_eq!(on(date(2013, 3, 31)), Standing::NotBegun);
    assert_eq!(on(TERM.from), Standing::InForce);
    assert_eq!(on(TERM.until), Standing::InForce);
    assert_eq!(on(date(2016, 4, 1)), Standing::Expired);
}

#[test]
fn an_end_says_its_first_day_out_of_force_and_history_stays() {
    let (world, _) = story("fulfilled");
    let completed = world.clone().and([complete(JUNE)]);
    assert_eq!(completed.agreement().standing(JUNE), Standing::InForce);
    assert_eq!(completed.agreement().standing(date(2013, 6, 4)), Standing::Completed);

    let ahead = date(2013, 9, 1);
    let terminated = world.and([terminate(ahead, JUNE)]);
    assert_eq!(terminated.agreement().standing(date(2013, 8, 31)), Standing::InForce);
    assert_eq!(terminated.agreement().standing(ahead), Standing::Terminated);
    // It takes no further step, although it is still in force.
    let suspended = terminated.outcome(&suspend("audit", date(2013, 7, 1)));
    assert_eq!(suspended, "WRONG_STANDING");
}

#[test]
fn a_termination_that_lies_ahead_can_be_brought_forward_and_not_put_off() {
    let (ahead, later) = (date(2015, 9, 1), date(2013, 7, 1));
    let world = story("in_force").0.and([terminate(ahead, JUNE)]);
    // What stands is told with its day, and what can be done.
    let refusal = world.decide(&suspend("fraud", later)).unwrap_err();
    assert_eq!(refusal.broken[0].facts["out_of_force_from"], ahead.to_string());
    assert_eq!(world.outcome(&terminate(ahead, later)), "unchanged");
    let (reason, authority) = ("fraud".to_owned(), "终止2号".to_owned());
    let same_day = ForceCommand::Terminate { reason, authority, out_of_force_from: ahead };
    assert_eq!(world.outcome(&force(later, same_day)), "ALREADY_TERMINATED");
    assert_eq!(world.outcome(&terminate(date(2015, 9, 2), later)), "ALREADY_TERMINATED");
    assert_eq!(world.outcome(&terminate(date(2013, 6, 30), later)), "TERMINATED_FOR_THE_PAST");
    // On the last day in force, to be out of force from that day.
    let eve = date(2015, 8, 31);
    assert_eq!(world.outcome(&terminate(eve, eve)), "AgreementTerminated");
    assert_eq!(
        world.outcome(&terminate(date(2015, 8, 31), ahead)),
        "ALREADY_TERMINATED",
        "it has come to pass"
    );

    let order = terminate(later, later);
    let world = world.and([order.clone()]);
    assert_eq!(world.agreement().standing(date(2013, 6, 30)), Standing::InForce);
    assert_eq!(world.agreement().standing(later), Standing::Terminated);
    assert_eq!(world.outcome(&order), "unchanged");
    assert_eq!(world.outcome(&terminate(ahead, later)), "ALREADY_TERMINATED");
}

#[test]
fn a_suspension_is_out_of_force_and_a_resumption_says_what_follows() {
    let (world, _) = story("suspended");
    let resumed_on = date(2013, 6, 10);
    let resumed = resume("恢复1号", resumed_on);
    assert_eq!(in_force(&world.event(&resumed)), Some(term(resumed_on, TERM.until)));
    let world = world.and([resumed.clone()]);
    let on = |day| world.agreement().standing(day);
    assert_eq!(on(date(2013, 5, 5)), Standing::InForce);
    assert_eq!(on(date(2013, 5, 6)), Standing::Suspended);
    assert_eq!(on(date(2013, 6, 9)), Standing::Suspended);
    assert_eq!(on(resumed_on), Standing::InForce);
    assert_eq!(world.outcome(&resumed), "unchanged");
    assert_eq!(world.outcome(&resume("another", resumed_on)), "WRONG_STANDING");
}

#[test]
fn a_suspended_agreement_expires_too_and_a_renewal_leaves_it_suspended() {
    let (world, _) = story("suspended");
    let expired_on = date(2016, 5, 2);
    assert_eq!(world.agreement().standing(expired_on), Standing::Expired);
    assert_eq!(world.outcome(&resume("恢复1号", expired_on)), "WRONG_STANDING");
    assert_eq!(in_force(&world.event(&renew_on(expired_on))), None);
    let world = world.and([renew_on(expired_on)]);
    assert_eq!(world.agreement().standing(expired_on), Standing::Suspended);
    let resumed = resume("恢复1号", date(2016, 5, 3));
    assert_eq!(in_force(&world.event(&resumed)), Some(term(date(2016, 5, 3), date(2019, 3, 31))));
}

#[test]
fn renewals_without_a_gap_add_up() {
    let (world, _) = story("in_force");
    let renewed = renew_on(date(2016, 3, 1));
    assert_eq!(in_force(&world.event(&renewed)), Some(term(TERM.from, date(2019, 3, 31))));
    let world = world.and([renewed, renew(date(2019, 4, 1), date(2020, 3, 31), date(2019, 3, 31))]);
    let agreement = world.agreement();
    assert_eq!(agreement.unbroken_term(JUNE), Some(term(TERM.from, date(2020, 3, 31))));
    assert_eq!(agreement.standing(date(2019, 12, 1)), Standing::InForce);
    assert_eq!(agreement.standing(date(2020, 4, 1)), Standing::Expired);
}

/// A renewal makes no version, so the version of a day says nothing of the term that the day lies in: the period does.
#[test]
fn each_day_in_force_lies_in_the_term_that_was_agreed_for_it() {
    let (world, _) = story("in_force");
    let second = term(date(2016, 4, 1), date(2019, 3, 31));
    let world = world.and([renew_on(date(2016, 3, 1)), suspend("audit", date(2018, 6, 1))]);
    let period =
        |on| world.agreement().period_on(on).map(|period| (period.term, period.authority.as_deref()));
    assert_eq!(period(TERM.from.yesterday().unwrap()), None);
    assert_eq!(period(TERM.from), Some((TERM, None)));
    assert_eq!(period(TERM.until), Some((TERM, None)));
    assert_eq!(period(second.from), Some((second, Some("续签1号"))));
    assert_eq!(period(date(2018, 6, 1)), Some((second, Some("续签1号"))), "suspended within it");
    assert_eq!(period(second.until), Some((second, Some("续签1号"))));
    assert_eq!(period(date(2019, 4, 1)), None);
    assert_eq!(world.agreement().version_on(second.from).unwrap().number, 1);

    // In the grace period nothing was in force.
    let world = story("expired").0.and([renew_on(date(2016, 5, 2))]);
    let since = |on| world.agreement().period_on(on).and_then(|period| period.in_force_from);
    assert_eq!(since(date(2016, 5, 1)), None);
    assert_eq!(since(date(2016, 5, 2)), Some(date(2016, 5, 2)));
}

#[test]
fn a_renewal_after_a_gap_does_not_add_up() {
    let (world, _) = story("expired");
    let world = world.and([renew(date(2016, 5, 10), date(2018, 5, 9), date(2016, 5, 2))]);
    let agreement = world.agreement();
    assert_eq!(agreement.unbroken_term(JUNE), Some(TERM));
    let second = term(date(2016, 5, 10), date(2018, 5, 9));
    assert_eq!(agreement.unbroken_term(date(2017, 1, 1)), Some(second));
    assert_eq!(agreement.unbroken_term(date(2016, 4, 15)), None);
    assert_eq!(agreement.standing(date(2016, 5, 9)), Standing::Expired);
    assert_eq!(agreement.standing(date(2016, 5, 10)), Standing::InForce);
}

/// Renewed within the grace period, the agreed terms join; in force it is from the renewal on only.
#[test]
fn a_renewal_in_the_grace_period_does_not_put_past_days_in_force() {
    let (world, _) = story("expired");
    let renewed_on = date(2016, 5, 2);
    let order = renew_on(renewed_on);
    assert_eq!(in_force(&world.event(&order)), Some(term(renewed_on, date(2019, 3, 31))));
    let world = world.and([order]);
    let agreement = world.agreement();
    assert_eq!(agreement.standing(date(2016, 5, 1)), Standing::Expired);
    assert_eq!(agreement.standing(renewed_on), Standing::InForce);
    assert_eq!(agreement.unbroken_term(JUNE), Some(term(TERM.from, date(2019, 3, 31))));
}

#[test]
fn a_material_amendment_is_in_force_with_the_last_signature() {
    let (world, _) = story("amending");
    let last_day = date(2017, 3, 31);
    assert_eq!(world.agreement().version_on(JUNE).unwrap().number, 1);
    let world = world.and([sign_amendment(2, &works(), date(2013, 6, 5))]);
    assert_eq!(world.agreement().version_on(date(2013, 6, 30)).unwrap().number, 1);

    let last = sign_amendment(2, &university(), date(2013, 6, 10));
    assert_eq!(world.outcome(&last), "AmendmentSigned, AgreementAmended");
    assert_eq!(in_force(&world.event(&last)), Some(term(TERM.from, last_day)));
    let world = world.and([last.clone()]);
    let agreement = world.agreement();
    assert_eq!(agreement.version_on(date(2013, 6, 9)).unwrap().number, 1);
    let second = agreement.version_on(date(2013, 6, 10)).unwrap();
    assert_eq!((second.number, second.term_end, second.signatures.len()), (2, last_day, 2));
    assert_eq!(second.signatures[0].authority, signing(&works()).authority);
    assert_eq!(agreement.standing(date(2016, 4, 1)), Standing::InForce);
    assert_eq!(world.outcome(&last), "ALREADY_SIGNED");
}

#[test]
fn amendment_signatures_learned_late_put_no_version_before_the_last_of_them() {
    let (world, _) = story("amending");
    let world = world.and([
        sign_amendment(2, &works(), date(2013, 6, 20)),
        sign_amendment(2, &university(), date(2013, 6, 10)).learned_on(date(2013, 6, 21)),
    ]);
    assert_eq!(world.agreement().version_on(date(2013, 6, 19)).unwrap().number, 1);
    assert_eq!(world.agreement().version_on(date(2013, 6, 20)).unwrap().number, 2);
}

#[test]
fn an_amendment_of_nothing_material_is_in_force_at_once_and_needs_no_signature() {
    let (world, _) = story("in_force");
    let order = propose(retitled(), JUNE);
    assert_eq!(in_force(&world.event(&order)), Some(TERM));
    let world = world.and([order.clone()]);
    let second = world.agreement().version_on(JUNE).unwrap();
    assert_eq!((second.number, second.title.as_str()), (2, "Another title"));
    assert_eq!((second.signatures.len(), second.authority.as_deref()), (0, Some("变更1号")));
    assert_eq!(second.obligations, vec![obligation(1)], "what was not changed stays");
    assert_eq!(world.outcome(&order), "unchanged");
}

#[test]
fn an_abandoned_amendment_changes_nothing_and_its_number_is_not_given_again() {
    let (world, _) = story("amending");
    let order = abandon(2, "no consent", JUNE);
    let world = world.and([order.clone()]);
    assert_eq!(world.outcome(&order), "unchanged");
    assert_eq!(world.agreement().standing(date(2016, 4, 1)), Standing::Expired);
    let AgreementEvent::AmendmentProposed { version, .. } =
        world.event(&propose(ending(date(2017, 3, 31)), JUNE))
    else {
        panic!("it needs signatures again");
    };
    assert_eq!(version, 3);
    assert_eq!(world.outcome(&sign_amendment(2, &works(), JUNE)), "AMENDMENT_NOT_PENDING");
}

/// A renewal waits for it, and after the term nobody can sign it any more.
#[test]
fn an_amendment_that_nobody_signed_is_abandoned_in_the_grace_period_and_then_the_agreement_renewed() {
    let (world, _) = story("amending");
    let in_grace = date(2016, 5, 2);
    assert_eq!(world.outcome(&renew_on(in_grace)), "AMENDMENT_PENDING");
    assert_eq!(world.outcome(&sign_amendment(2, &works(), in_grace)), "WRONG_STANDING");
    let order = abandon(2, "never signed", in_grace);
    let world = world.and([order.clone()]);
    assert_eq!(world.agreement().standing(in_grace), Standing::Expired);
    assert_eq!(world.outcome(&order), "unchanged");
    let world = world.and([renew_on(in_grace)]);
    assert_eq!(world.agreement().standing(in_grace), Standing::InForce);
    assert_eq!(world.agreement().version_on(in_grace).unwrap().number, 1);
}

#[test]
fn there_is_no_version_before_the_agreement_is_in_force_and_none_after() {
    let (world, _) = story("in_force");
    let agreement = world.agreement();
    for day in [date(2013, 1, 1), DRAFTED_ON, date(2013, 3, 31), date(2016, 4, 1)] {
        assert_eq!(agreement.version_on(day), None, "{day}");
    }
    let first = agreement.version_on(TERM.from).unwrap();
    let signed: Vec<_> = first.signatures.iter().map(|signature| signature.signed_on).collect();
    assert_eq!(signed, [date(2013, 3, 5), date(2013, 3, 11)]);
}

#[test]
fn a_version_amended_before_the_term_holds_from_its_first_day() {
    let (world, march) = story("not_begun");
    let world = world.and([propose(retitled(), march)]);
    assert_eq!(world.agreement().version_on(march), None);
    assert_eq!(world.agreement().version_on(TERM.from).unwrap().number, 2);
}

#[test]
fn obligations_can_be_amended_but_not_those_fulfilled() {
    let (world, _) = story("fulfilled");
    let obligations = |obligations| Changes { obligations: Some(obligations), ..Changes::default() };
    let dropped = propose(obligations(vec![obligation(2)]), JUNE);
    assert_eq!(world.outcome(&dropped), "FULFILLED_OBLIGATION_CHANGED");
    let kept = propose(obligations(vec![obligation(1), obligation(2)]), JUNE);
    let world = world.and([kept, sign_amendment(2, &works(), JUNE), sign_amendment(2, &university(), JUNE)]);
    assert_eq!(world.outcome(&fulfil(2, 'e', JUNE)), "ObligationFulfilled");
    assert_eq!(world.outcome(&complete(JUNE)), "OBLIGATIONS_OPEN");
}

#[test]
fn an_obligation_fulfilled_while_its_amendment_is_signed_stops_the_last_signature() {
    let (world, _) = story("in_force");
    let moved = concord_events::agreement::Obligation { due_on: date(2015, 1, 1), ..obligation(1) };
    let changes = Changes { obligations: Some(vec![moved]), ..Changes::default() };
    let world = world.and([propose(changes, JUNE), sign_amendment(2, &works(), JUNE), fulfil(1, 'e', JUNE)]);
    assert_eq!(world.outcome(&sign_amendment(2, &university(), JUNE)), "FULFILLED_OBLIGATION_CHANGED");
}

#[test]
fn action_items_are_open_until_they_are_closed() {
    let (world, _) = story("in_force");
    let world = world.and([minute('f', JUNE)]);
    let open: Vec<_> =
        world.agreement().open_action_items().map(|(meeting, item)| (meeting, item.number)).collect();
    assert_eq!(open, [(1, 1)]);
    assert_eq!(world.outcome(&minute('f', JUNE)), "unchanged");
    assert_eq!(world.outcome(&close(1, 2, 'e', JUNE)), "ACTION_ITEM_NOT_FOUND");
    let world = world.and([close(1, 1, 'e', JUNE)]);
    assert_eq!(world.agreement().open_action_items().count(), 0);
    assert_eq!(world.outcome(&close(1, 1, 'e', JUNE)), "unchanged");
    assert_eq!(world.outcome(&close(1, 1, 'f', JUNE)), "ALREADY_CLOSED");
    let WorkCommand::MinuteMeeting { kind, minutes, action_items, .. } = minuted() else { panic!() };
    let fewer = WorkCommand::MinuteMeeting { kind, parties: vec![works()], minutes, action_items };
    assert_eq!(world.outcome(&work(JUNE, fewer)), "MINUTES_TAKEN");
}

fn minuted() -> WorkCommand {
    match minute('f', JUNE).command {
        concord_agreement::Command::Agreement(
            _,
            concord_agreement::agreement::AgreementCommand::Work(command),
        ) => command,
        other => panic!("{other:?} minutes nothing"),
    }
}

#[test]
fn a_framework_ends_without_ending_its_children() {
    let under = concord_agreement::agreement::draft::Draft { parent: Some(PARENT), ..contract() };
    let world = World::after(directory()).and([
        about(PARENT, draft(framework())),
        about(PARENT, sign(&province(), date(2013, 3, 2))),
        about(PARENT, sign(&university(), date(2013, 3, 3))),
        draft(under).on(date(2013, 3, 4)),
        sign(&works(), date(2013, 3, 5)),
        sign(&university(), date(2013, 3, 6)),
        about(PARENT, terminate(JUNE, JUNE)),
    ]);
    assert_eq!(world.agreement().standing(JUNE), Standing::InForce);
    assert_eq!(world.agreement().parent, Some(PARENT));
}

/// Registration: every pair of stage and command. Marks as in `standings`; `s` is the wrong stage of the registration.
#[test]
fn every_stage_of_a_registration_answers_every_command() {
    const TABLE: &str = "
                    submit submit2 register register2 refuse refuse2 revoke revoke2
        none          +      +        s        s        s       s       s      s
        submitted     =      d        +        +        +       +       s      s
        registered    =      d        =        d        s       s       +      +
        refused       +      +        s        s        =       d       s      s
        revoked       s      s        s        s        s       s       =      d
    ";
    let stage = |row: &str| {
        let (world, _) = story("in_force");
        let submitted = [submit("market", date(2013, 5, 2))];
        match row {
            "none" => world,
            "submitted" => world.and(submitted),
            "registered" => world.and(submitted).and([register(500_000, date(2013, 5, 3))]),
            "refused" => world.and(submitted).and([refuse("incomplete", date(2013, 5, 3))]),
            "revoked" => world
                .and(submitted)
                .and([register(500_000, date(2013, 5, 3)), revoke("not performed", date(2013, 5, 4))]),
            other => panic!("there is no stage {other}"),
        }
    };
    let mut lines = TABLE.lines().map(str::split_whitespace).filter(|words| words.clone().next().is_some());
    let columns: Vec<&str> = lines.next().unwrap().collect();
    for mut words in lines {
        let row = words.next().unwrap();
        let world = stage(row);
        for (column, mark) in columns.iter().zip(words) {
            let (order, event) = match *column {
                "submit" => (submit("market", JUNE), "RegistrationSubmitted"),
                "submit2" => (submit("another", JUNE), "RegistrationSubmitted"),
                "register" => (register(500_000, JUNE), "ContractRegistered"),
                "register2" => (register(400_000, JUNE), "ContractRegistered"),
                "refuse" => (refuse("incomplete", JUNE), "RegistrationRefused"),
                "refuse2" => (refuse("other", JUNE), "RegistrationRefused"),
                "revoke" => (revoke("not performed", JUNE), "RegistrationRevoked"),
                "revoke2" => (revoke("other", JUNE), "RegistrationRevoked"),
                other => panic!("there is no command {other}"),
            };
            let came = world.outcome(&order);
            let holds = match mark {
                "+" => came == event,
                "=" => came == "unchanged",
                "d" => came.starts_with("ALREADY_"),
                "s" => came == "WRONG_REGISTRATION_STAGE",
                _ => panic!("the mark {mark} stands for nothing"),
            };
            assert!(holds, "{row} × {column}: the table says {mark}, what came is {came}");
        }
    }
}

/// What the events say of the days in force is what the state says, whatever happened in whichever order.
fn steps() -> impl Strategy<Value = Vec<(u8, i64)>> {
    proptest::collection::vec((0..7_u8, 0..400_i64), 1..25)
}

proptest! {
    #[test]
    fn a_follower_that_folds_nothing_knows_on_every_day_whether_it_is_in_force(steps in steps()) {
        let (mut world, _) = story("not_begun");
        // What a follower holds: the days in force as the newest event that speaks of them has it.
        let mut known = Some(TERM);
        let mut today = date(2013, 3, 20);
        for (step, days) in steps {
            today = today.saturating_add(jiff::Span::new().days(days));
            let until = world.agreement().periods.last().unwrap().term.until;
            let later = |days: i64| until.saturating_add(jiff::Span::new().days(days));
            let order = match step {
                0 => suspend("audit", today),
                1 => resume("恢复", today),
                2 => renew(later(1), later(300), today),
                3 => propose(ending(later(days - 200)), today),
                4 => sign_amendment(world.agreement().version_numbers, &works(), today),
                5 => sign_amendment(world.agreement().version_numbers, &university(), today),
                _ => terminate(today.saturating_add(jiff::Span::new().days(days / 10)), today),
            };
            for event in world.execute(&order).unwrap_or_default() {
                match &event {
                    AgreementEvent::AgreementSuspended { .. } => known = None,
                    AgreementEvent::AgreementResumed { .. }
                    | AgreementEvent::AgreementRenewed { .. }
                    | AgreementEvent::AgreementAmended { .. } => known = in_force(&event),
                    AgreementEvent::AgreementTerminated { out_of_force_from, .. } => {
                        let last = out_of_force_from.yesterday().unwrap();
                        known = known.map(|term| Term { until: term.until.min(last), ..term });
                    }
                    _ => {}
                }
            }
            // The same day, and what the calendar will do with nobody acting.
            for ahead in [0, 1, 30, 200, 1000] {
                let day = today.saturating_add(jiff::Span::new().days(ahead));
                let stands = world.agreement().standing(day) == Standing::InForce;
                prop_assert_eq!(known.is_some_and(|term| term.contains(day)), stands, "{} of {:?}", day, world.agreement());
            }
        }
    }
}

#[test]
fn commands_are_stored_with_stable_names() {
    let command = serde_json::to_value(ForceCommand::CancelDraft { reason: "x".to_owned() }).unwrap();
    assert_eq!(command, serde_json::json!({"cancel_draft": {"reason": "x"}}));
}
