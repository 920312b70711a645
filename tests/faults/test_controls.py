"""The checker goes red on broken builds; without this, its green would prove nothing."""

from __future__ import annotations

from nabd.demo.proof import Proof
from tests.faults import checker
from tests.faults.plant import Plant, eventually

MESSAGES = 600


async def test_the_checker_is_green_on_a_sound_build(plant: Plant) -> None:
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(MESSAGES)
        await fleet.answered()
    first = plant.run(die_at=("readings", 2))
    assert await plant.ended(first) == -9

    found = await plant.outlive([fleet])

    assert found.published == found.acknowledged == found.stored == MESSAGES
    assert found.holds, checker.summary(found)


async def test_the_checker_sees_what_is_lost_when_ingest_acknowledges_before_it_commits(
    plant: Plant,
) -> None:
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(MESSAGES)
        await fleet.answered()
    first = plant.run(build="acknowledges before commit", die_at=("readings", 2))
    assert await plant.ended(first) == -9

    plant.run()
    found = await plant.proof([fleet], complete=False)

    assert checker.wrong(found) == {"lost"}


async def test_the_checker_sees_what_is_stored_twice_without_a_unique_key(plant: Plant) -> None:
    await plant.execute("ALTER TABLE bin_reading DROP CONSTRAINT bin_reading_device_id_observed_at_key")
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(MESSAGES)
        await fleet.answered()
    first = plant.run(die_at=("committed", 1))
    assert await plant.ended(first) == -9

    plant.run()
    found = await plant.proof([fleet], complete=False)

    assert checker.wrong(found) == {"duplicated"}


async def broker_forgets_mid_batch(plant: Plant, build: str) -> Proof:
    """A broker comes back without its store while a batch waits; then ingest dies with what came since."""
    await plant.subscribed()
    async with plant.fleet() as before:
        before.say(MESSAGES)
        await before.answered()
    held = plant.run(build=build, hold_at=("readings", 1), die_at=("readings", 2), batch_messages=MESSAGES)
    plan = plant.plan()

    async def waiting() -> bool:
        return plan.held.exists()

    await eventually(waiting)
    plant.forgetful_broker()
    # The devices that had their answer before the store was lost are the broker's loss, not ours.
    async with plant.fleet(name="after", since=plant.since + 3_600_000_000) as after:
        after.say(MESSAGES)
        plan.go.touch()
        await after.answered()
        assert await plant.ended(held) == -9
        plan.go.unlink()
        plant.run()
        return await plant.proof([before, after], complete=build == "sound")


async def test_the_checker_sees_what_an_old_packet_id_destroys(plant: Plant) -> None:
    found = await broker_forgets_mid_batch(plant, "acknowledges on another connection")

    assert checker.wrong(found) == {"lost"}


async def test_no_old_packet_id_destroys_a_message_when_the_broker_forgets_mid_batch(plant: Plant) -> None:
    found = await broker_forgets_mid_batch(plant, "sound")

    assert found.holds, checker.summary(found)


async def test_the_checker_sees_one_row_deleted_and_one_altered(plant: Plant) -> None:
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(MESSAGES)
        await fleet.answered()
    await plant.outlive([fleet])
    some = "SELECT ctid FROM bin_reading ORDER BY observed_at, device_id LIMIT 1 OFFSET 7"

    await plant.execute(f"UPDATE bin_reading SET battery_v = 3.5 WHERE ctid = ({some})")
    altered = await checker.examine(plant.dsn, fleet.lines(), plant.devices)
    assert (len(altered.altered), checker.wrong(altered)) == (1, {"altered"})

    await plant.execute(f"DELETE FROM bin_reading WHERE ctid = ({some})")
    await plant.execute("UPDATE ledger SET stored = stored - 1, received = received - 1 WHERE batch = 1")
    deleted = await checker.examine(plant.dsn, fleet.lines(), plant.devices)
    assert (len(deleted.lost), checker.wrong(deleted)) == (1, {"lost"})
