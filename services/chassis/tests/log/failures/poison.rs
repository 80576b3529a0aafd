//! One command that cannot be executed, among hundreds that can.

use crate::fixture::{Command, PATIENCE, World, bank, code};
use concord_chassis::log::CommandError;

#[tokio::test]
async fn a_command_that_panics_fails_alone_among_hundreds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    let mut commands = vec![Command::Deposit(account, 1); 400];
    commands[133] = Command::Panic(account);
    commands[266] = Command::Curse(account);
    let outcomes = replica.chunk(commands).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        let failed = matches!(outcome, Err(CommandError::Internal(_)));
        assert_eq!(failed, index == 133 || index == 266, "{index}: {outcome:?}");
    }
    assert_eq!(replica.balance(account).await, 398);
    world.check(&replica).await;
}

#[tokio::test]
async fn a_value_that_postgresql_refuses_fails_alone_among_hundreds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let accounts = replica.open(2, 1).await;
    world.sql("ALTER TABLE events ADD CONSTRAINT digestible CHECK (convert_from(record, 'UTF8') NOT LIKE '%poison%')").await;
    // The next event of the second account finds its version taken, for ever.
    world
        .sql(&format!("UPDATE events SET version = 3 WHERE stream = '{}' AND version = 2", accounts[1]))
        .await;
    let mut commands = vec![Command::Deposit(accounts[0], 1); 300];
    commands[1] = Command::Note(accounts[0], "poison".into());
    commands[150] = Command::Deposit(accounts[1], 1);
    commands[299] = Command::Note(accounts[0], "poison".into());
    let outcomes = replica.chunk(commands).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        let failed = matches!(outcome, Err(CommandError::Internal(_)));
        assert_eq!(failed, [1, 150, 299].contains(&index), "{index}: {outcome:?}");
    }
    assert_eq!(replica.balance(accounts[0]).await, 1 + 297);
}

#[tokio::test]
async fn a_state_with_an_unreadable_event_fails_its_own_commands_only() {
    let world = World::new().await;
    let accounts = world.replica().await.open(2, 1).await;
    world.sql(&format!("UPDATE events SET record = convert_to(replace(convert_from(record, 'UTF8'), 'concord.test.v1.Deposited', 'concord.test.v1.Unheard'), 'UTF8') WHERE stream = '{}' AND version = 2", accounts[1])).await;
    // The index is kept past it, as after an upgrade that went wrong.
    world.sql("INSERT INTO snapshots VALUES ('00000000-0000-0000-0000-000000000000', 4, 0, 'index', '{\"last_of_type\":{\"concord.test.v1.Opened\":3,\"concord.test.v1.Deposited\":4},\"today\":null,\"own_version\":0,\"recorded_at_us\":0}') ON CONFLICT (subject) DO UPDATE SET position = excluded.position, state = excluded.state").await;
    let replica = world.replica().await;
    let outcomes = replica
        .chunk(vec![
            Command::Deposit(accounts[0], 1),
            Command::Transfer(accounts[0], accounts[1], 1),
            Command::Deposit(accounts[0], 1),
        ])
        .await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert!(matches!(outcomes[1], Err(CommandError::Internal(_))), "{outcomes:?}");
    let seen = replica.log.state(bank(accounts[1]), 0, PATIENCE).await;
    assert!(matches!(seen, Err(CommandError::Internal(_))), "{seen:?}");
    assert_eq!(replica.balance(accounts[0]).await, 3);
}

#[tokio::test]
async fn an_event_that_is_too_large_is_refused_and_its_neighbours_are_not() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    let outcomes = replica
        .chunk(vec![
            Command::Deposit(account, 1),
            Command::Note(account, "x".repeat(300 << 10)),
            Command::Deposit(account, 1),
        ])
        .await;
    assert_eq!(code(&outcomes[1]), "EVENT_TOO_LARGE");
    assert_eq!(outcomes[2].as_ref().unwrap().last_position, 4);
    world.check(&replica).await;
}
