"""What every store keeps to, whatever it is made of."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from typing import Any

import pytest

from mythos.ids import AccountId, EntityId, PlaceId, RoomId, SessionId
from mythos.play.commits import Commits, Transaction
from mythos.play.names import key
from mythos.play.ports import Account, BadBatch, Contents, NameTaken, RefreshGrant, SessionRecord
from mythos.wire.message import Line, Message, Role, Span, State
from mythos.world.state import BURN, GOLD, MINT, MOST, Character, DoorState, Entity, Item, Npc, SpawnState, World
from tests.store.batches import ANN, BOB, AnyStore, ask, batch, everything, paid, write
from tests.world.town import ATLAS, DEN, ITEMS, MARTA, NPCS, SQUARE, YARD, Loaded, person, town

BAG, FLASK, TAILS = EntityId("i5"), EntityId("i6"), EntityId("i7")
KNIFE, _VEST, TAIL, *_ = ITEMS
HARD_WORDS = ["Zoë", "日本語", "e\u0301", "🦀🦀", "שלום", "'; DROP TABLE entity; --", '"\\"', "\x00", "\u2028", ""]
SESSION = SessionRecord(
    SessionId("a1"),
    ANN,
    "epoch",
    7,
    4,
    ((("older", 1234.5), ("digest", 0.0)), (("another", 0.0),)),
    1_800_000_000.25,
    asked=((1, 2**32 - 1), (3, 0)),
    undone=(2,),
)


def empty_town() -> World:
    return World(ATLAS, Loaded(0))


def values(entity: Entity) -> dict[str, Any]:
    """An entity by its fields, less what is not stored."""
    unstored = ("fighting", "following", "present")
    return {"type": type(entity), **{one.name: getattr(entity, one.name) for one in fields(entity)}} | dict.fromkeys(
        unstored
    )


async def contents(store: AnyStore) -> Contents:
    return await store.load(empty_town())


# ── entities ────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_yet(store: AnyStore) -> None:
    """A store that was never written to says so."""
    found = await contents(store)
    assert (found.fresh, found.now, found.next_id, found.next_tx) == (True, 0.0, 1, 1)
    assert (list(found.entities.entities), dict(found.entities.hoards), list(found.sessions)) == ([], {}, [])


async def test_all_kinds_come_back(store: AnyStore) -> None:
    """What a batch says of the world is what the next server finds, in the order it was made."""
    knife = Item(EntityId("i1"), KNIFE, MARTA, worn="hand")
    tails = Item(EntityId("i2"), TAIL, YARD, 12, lit=True)
    marta = Npc(MARTA, "Marta", SQUARE, 3, 20, returns=77.5, met={BOB, ANN}, proto=NPCS[0])
    gate = DoorState(EntityId("d:t:yard:north"), closed=False, locked=True, resets=300.0)
    spawn = SpawnState(EntityId("s:t:rat"), 3, 60.0)
    made: list[Entity] = [marta, tails, spawn, knife, gate]
    await write(store, batch(4, entities=made, next_id=3, next_tx=9))
    found = await contents(store)
    assert [values(one) for one in found.entities.entities] == [values(one) for one in made]
    assert (found.fresh, found.now, found.next_id, found.next_tx) == (False, 40.0, 3, 9)


async def test_order_outlives_changes(store: AnyStore) -> None:
    """What was made first stays first, though its row is written again."""
    made = [Item(EntityId(f"i{n}"), KNIFE, YARD) for n in (9, 10, 1, 2)]
    await write(store, batch(1, entities=made))
    made[0].place, made[2].lit = DEN, True
    await write(store, batch(2, entities=[made[2], made[0]]))
    found = (await contents(store)).entities.entities
    assert [values(one) for one in found] == [values(one) for one in made]


async def test_a_character_comes_with_what_it_holds(store: AnyStore) -> None:
    """However deep; it sleeps in the store, and what it holds does not come with the world."""
    ann = Character(ANN, "Ann", YARD, 11, 25, account=AccountId(3), keeper=True, xp=450, level=3, title="of the yard")
    ann.flags, ann.settings, ann.aliases, ann.seen = {"secret": 1}, {"brief": "on"}, {"k": "kill"}, {"t:yard up"}
    bob = Character(BOB, "Bob", SQUARE)
    bag = Item(BAG, ITEMS[4], ANN)
    inside = [Item(FLASK, ITEMS[3], BAG), Item(TAILS, TAIL, FLASK, 2)]
    bobs, lying = Item(EntityId("i8"), KNIFE, BOB), Item(EntityId("i9"), KNIFE, YARD)
    holders: list[PlaceId] = [ANN, BOB, BAG, TAILS, YARD]
    payments = [paid(tx, MINT, holder, 10 * tx) for tx, holder in enumerate(holders, 1)]
    await write(store, batch(1, *payments, entities=[ann, bob, *inside, bag, bobs, lying]))
    ann.gold = 10
    found = await store.load_character(empty_town(), ANN)
    assert [values(one) for one in found.entities] == [values(ann), *map(values, inside), values(bag)]
    assert dict(found.hoards) == {BAG: 30, TAILS: 40}
    rest = (await contents(store)).entities
    assert [values(one) for one in rest.entities] == [values(lying)]
    assert dict(rest.hoards) == {YARD: 50}
    nobody = await store.load_character(empty_town(), BAG)
    assert (list(nobody.entities), dict(nobody.hoards)) == ([], {})


async def test_the_gone_are_gone(store: AnyStore) -> None:
    here, gone = Item(EntityId("i1"), KNIFE, YARD), Item(EntityId("i2"), KNIFE, YARD)
    await write(store, batch(1, entities=[here, gone]))
    await write(store, batch(2, gone=[gone.id, EntityId("i99")]))
    assert [one.id for one in (await contents(store)).entities.entities] == [here.id]


@pytest.mark.parametrize("word", HARD_WORDS)
async def test_any_word(store: AnyStore, word: str) -> None:
    """Words are kept as they were typed."""
    ann = Character(ANN, word, YARD, title=word, flags={word: 1}, settings={word: word}, aliases={word: word})
    said: Message = Line("say", (Span(word), Span(word, Role.PLAYER)))
    record = replace(SESSION, log=((1, 0.0, said), (2, 0.0, State(word, {word: [word]}))))
    kind = word.replace("\0", "")  # which is ours, never typed: PostgreSQL has no letter of that number
    done = paid(1, MINT, ANN, 1, session=SESSION.id, c=1, kind=kind)
    await write(store, batch(1, done, entities=[ann], sessions=[record]))
    (found,) = (await store.load_character(empty_town(), ANN)).entities
    ann.gold = 1
    assert values(found) == values(ann)
    assert await ask(store, "SELECT kind FROM ledger") == [(kind,)]
    (session,) = (await contents(store)).sessions
    assert heard(session) == heard(record)


async def test_a_place_that_is_no_more(store: AnyStore) -> None:
    """Builders may remove what was in play: people wake at home, NPCs where they belong; things of no kind, and NPCs
    that belong nowhere, are not brought back."""
    ann = Character(ANN, "Ann", RoomId("t:burned-down"))
    lost = Item(EntityId("i1"), replace(KNIFE, id="unmade"), ANN)
    homeless = Npc(EntityId("n:t:rat"), "a brown rat", RoomId("t:burned-down"), proto=NPCS[1])
    stray = Npc(EntityId("n:t:stray"), "a brown rat", RoomId("t:burned-down"), proto=NPCS[1])
    await write(store, batch(1, entities=[ann, lost, homeless, stray]))
    (found,) = (await store.load_character(empty_town(), ANN)).entities
    assert isinstance(found, Character)
    assert found.room == ATLAS.home
    assert [(one.id, getattr(one, "room", "")) for one in (await contents(store)).entities.entities] == [
        (homeless.id, YARD)
    ]


# ── the ledger ──────────────────────────────────────────────────────────────────────────────────


async def test_double_entry(store: AnyStore) -> None:
    """Each posting is two lines that cancel out; a balance is the sum of its lines. Mint and burn have none."""
    give = Transaction(2, "trade", None, None, (_p(ANN, BOB, 30), _p(BOB, ANN, 2, "knife"), _p(ANN, BURN, 5)))
    await write(store, batch(1, paid(1, MINT, ANN, 50), paid(3, MINT, BOB, 2, asset="knife"), give))
    assert sorted(await ask(store, "SELECT tx, holder, asset, delta FROM ledger_line")) == sorted(
        [
            *[(1, MINT, GOLD, -50), (1, ANN, GOLD, 50), (3, MINT, "knife", -2), (3, BOB, "knife", 2)],
            *[(2, ANN, GOLD, -30), (2, BOB, GOLD, 30), (2, BOB, "knife", -2), (2, ANN, "knife", 2)],
            *[(2, ANN, GOLD, -5), (2, BURN, GOLD, 5)],
        ]
    )
    assert await ask(store, "SELECT holder, asset, amount FROM balance ORDER BY 1, 2") == [
        *[(ANN, GOLD, 15), (ANN, "knife", 2), (BOB, GOLD, 30), (BOB, "knife", 0)]
    ]
    assert await ask(store, "SELECT tx, kind, session, c, at FROM ledger WHERE tx = 2") == [
        (2, "trade", None, None, 10.0)
    ]


def _p(source: PlaceId, target: PlaceId, amount: int, asset: str = GOLD) -> Any:
    return paid(0, source, target, amount, asset=asset).postings[0]


async def test_the_largest_amounts_are_exact(store: AnyStore) -> None:
    """2**53 at once, and more than a float can count in sum."""
    await write(store, batch(1, paid(1, MINT, YARD, MOST), paid(2, MINT, YARD, MOST), paid(3, MINT, YARD, 1)))
    assert dict((await contents(store)).entities.hoards) == {YARD: 2 * MOST + 1}
    await write(store, batch(2, paid(4, YARD, SQUARE, MOST), paid(5, YARD, DEN, MOST)))
    assert dict((await contents(store)).entities.hoards) == {YARD: 1, SQUARE: MOST, DEN: MOST}


async def test_a_session_goes_on_behind_its_last_command(store: AnyStore) -> None:
    """The ledger may know of a later command than the session's own row does."""
    await write(store, batch(1, sessions=[replace(SESSION, next_c=3)]))
    await write(store, batch(2, paid(1, MINT, ANN, 1, session=SESSION.id, c=8)))
    assert [one.next_c for one in (await contents(store)).sessions] == [9]


# ── all or nothing, and once ────────────────────────────────────────────────────────────────────

IMPOSSIBLE = {
    "takes more than there is": [paid(5, ANN, BOB, 101)],
    "takes from who never had any": [paid(5, YARD, BOB, 1)],
    "takes another asset": [paid(5, ANN, BOB, 1, asset="knife")],
    "a number of the ledger comes again": [paid(1, MINT, BOB, 1)],
    "a command is answered again": [paid(5, MINT, BOB, 1, session=SESSION.id, c=1)],
    "a number no column holds": [paid(2**70, MINT, BOB, 1)],
    "letters no column holds": [paid(5, MINT, BOB, 1, session=SessionId("b2"), c=1, kind="\ud800")],
    "a sum that no column holds": [paid(5, MINT, YARD, 2**62), paid(7, MINT, YARD, 2**62), paid(8, MINT, BOB, 1)],
}


@pytest.mark.parametrize("wrong", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
async def test_all_or_nothing(store: AnyStore, wrong: list[Transaction]) -> None:
    """A batch with one impossible row in its middle changes nothing, and the next batch goes through."""
    knife = Item(EntityId("i1"), KNIFE, YARD)
    first = paid(1, MINT, ANN, 100, session=SESSION.id, c=1)
    await write(store, batch(1, first, entities=[knife], sessions=[SESSION]))
    before = await everything(store)
    knife.place = ANN
    good = paid(4, ANN, BOB, 1), paid(6, ANN, BOB, 1)
    with pytest.raises(BadBatch):
        entities = [knife, Item(EntityId("i2"), KNIFE, YARD)]
        sessions = [replace(SESSION, head=99)]
        await write(store, batch(2, good[0], *wrong, good[1], entities=entities, sessions=sessions, next_tx=7))
    assert await everything(store) == before
    await write(store, batch(3, *good, entities=[knife]))
    assert await ask(store, "SELECT holder, amount FROM balance ORDER BY 1") == [(ANN, 98), (BOB, 2)]


NAMED = {
    "a sum that no column holds": (
        [paid(n, MINT, ANN, 2**62) for n in (5, 6)],
        "balance 'c1' 'gold' 9223372036854775808",
    ),
    "a sum that grows too large": ([paid(5, MINT, YARD, 2**63 - 1)], "balance 't:yard' 'gold'"),
    "takes more than there is": ([paid(5, YARD, BOB, 101)], "balance 't:yard' 'gold' -101: .*(CHECK|violates check)"),
    "takes from who has none": ([paid(5, ANN, BOB, 1)], "has nothing: gold of c1"),
    "a number of the ledger comes again": ([paid(1, MINT, BOB, 1)], "ledger.*(1 .*UNIQUE|unique.*=.1. )"),
}


@pytest.mark.parametrize(("wrong", "words"), NAMED.values(), ids=NAMED)
async def test_the_row_that_is_refused_is_named(store: AnyStore, wrong: list[Transaction], words: str) -> None:
    """Among thousands, its operator could not find it."""
    await write(store, batch(1, paid(1, MINT, YARD, 100), paid(2, MINT, BOB, 100)))
    with pytest.raises(BadBatch, match=words):
        await write(store, batch(2, *wrong))


@pytest.mark.parametrize("stack", [0, -1])
async def test_a_stack_of_nothing_is_refused(store: AnyStore, stack: int) -> None:
    before = await everything(store)
    with pytest.raises(BadBatch):
        await write(store, batch(1, entities=[Item(EntityId("i1"), KNIFE, YARD, stack)]))
    assert await everything(store) == before


async def test_what_is_no_row_is_refused_before_it_is_sent(store: AnyStore) -> None:
    """The turn that closes the batch learns of it."""
    broken: list[Any] = [Character(ANN, "Ann", YARD, title="\ud800"), object()]
    for entity in broken:
        with pytest.raises(BadBatch, match="batch 7 does not encode"):
            store.encode(batch(7, entities=[entity]))


async def test_once(store: AnyStore) -> None:
    """A batch that comes again, at once or late, does nothing; another server's batch of that number is another."""
    first = store.encode(batch(1, paid(1, MINT, YARD, 10), sessions=[SESSION]))
    second = store.encode(batch(2, paid(2, YARD, SQUARE, 4), entities=[Item(EntityId("i1"), KNIFE, YARD)]))
    for rows in (first, first, second):
        await store.write(rows)
    before = await everything(store)
    for rows in (second, first, second):
        await store.write(rows)
    assert await everything(store) == before
    await write(store, batch(1, paid(3, MINT, YARD, 1), incarnation="second"))
    await store.write(second)
    assert dict((await contents(store)).entities.hoards) == {YARD: 7, SQUARE: 4}


async def test_rows_are_of_the_instant_they_were_made(store: AnyStore) -> None:
    """A batch that waits for the disk does not take in what happens meanwhile."""
    knife = Item(EntityId("i1"), KNIFE, YARD)
    rows = store.encode(batch(1, entities=[knife]))
    knife.place = ANN
    await store.write(rows)
    (found,) = (await contents(store)).entities.entities
    assert isinstance(found, Item)
    assert found.place == YARD


@pytest.mark.parametrize("seed", range(3))
async def test_a_world_comes_back(store: AnyStore, seed: int) -> None:
    """Whatever is moved, made and destroyed, in batches of any size: what is loaded is what was, to the last coin."""
    dice, world = random.Random(seed), town()
    people = [person(world, name, SQUARE) for name in ("Ann", "Bob")]
    commits = Commits("first", 1, lambda: (world.now, world.next_id))
    places: list[PlaceId] = [SQUARE, YARD, DEN, MARTA, *(one.id for one in people)]
    for turn in range(120):
        place, other = dice.sample(places, 2)
        if turn % 3 == 0 and (gold := world.gold_at(place)):
            world.move_gold(place, dice.choice([other, BURN]), dice.randint(1, gold))
        elif turn % 3 == 1:
            world.move_gold(MINT, place, dice.randint(1, 9))
            world.mint_item(TAIL, place, dice.randint(1, 9))
            world.mint_item(KNIFE, other)
        elif things := tuple(world.held(place)):
            item = dice.choice(things)
            count = dice.randint(1, item.stack)
            world.burn_item(item, count) if dice.random() < 0.3 else world.move_item(item, other, count)
        commits.submit(world.take_change())
        if dice.random() < 0.3 and (closed := commits.take()) is not None:
            rows = store.encode(closed)
            for _ in range(dice.randint(1, 2)):
                await store.write(rows)
            commits.written()
    commits.flush()
    if (last := commits.take()) is not None:
        await write(store, last)
    await same(store, world)


async def same(store: AnyStore, world: World) -> None:
    """What the store holds is what stands in memory, and the ledger agrees with both."""
    stored = (await contents(store)).entities
    found, hoards = list(stored.entities), dict(stored.hoards)
    for who in world.characters:
        held = await store.load_character(empty_town(), who)
        found.extend(held.entities)
        hoards |= held.hoards
    living: list[Entity] = [
        *world.items.values(),
        *world.npcs.values(),
        *world.characters.values(),
        *world.spawns.values(),
    ]
    expected = {one.id: values(one) for one in living}
    assert {one.id: values(one) for one in found} == expected
    assert hoards == world.hoards
    wrong = "SELECT tx FROM ledger_line GROUP BY tx, asset HAVING sum(delta) <> 0"
    assert await ask(store, wrong) == []
    owned: dict[tuple[str, str], int] = {(holder, GOLD): amount for holder, amount in world.hoards.items()}
    owned |= {(body.id, GOLD): body.gold for body in (*world.npcs.values(), *world.characters.values()) if body.gold}
    for item in world.items.values():
        owned[item.place, item.proto.id] = owned.get((item.place, item.proto.id), 0) + item.stack
    balances = await ask(store, "SELECT holder, asset, amount FROM balance WHERE amount > 0")
    lines = await ask(
        store,
        "SELECT holder, asset, sum(delta) FROM ledger_line WHERE holder NOT IN ('mint', 'burn')"
        " GROUP BY holder, asset HAVING sum(delta) <> 0",
    )
    assert {(holder, asset): amount for holder, asset, amount in balances} == owned
    assert sorted(lines) == sorted(balances)


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


def heard(record: SessionRecord) -> list[Any] | None:
    """The log by value: messages are compared by what they say."""
    if record.log is None:
        return None
    said = [
        (what.kind, what.spans, what.text) if isinstance(what, Line) else (what.name, what.data)
        for _, _, what in record.log
    ]
    return [(number, age, words) for (number, age, _), words in zip(record.log, said, strict=True)]


async def test_a_session_comes_back(store: AnyStore) -> None:
    """Whole, with its log; the log is handed out once, for what was said since is in nobody's log."""
    said = Line("say", (Span("Bob", Role.PLAYER), Span(' says, "hello"')))
    vitals = State("Char.Vitals", {"hp": 20, "ratio": 0.5, "fighting": False, "with": None})
    record = replace(SESSION, log=((6, 1.5, said), (7, 0.0, vitals)), floor=5, cursors=(("telnet", 6), ("sse", 0)))
    await write(store, batch(1, sessions=[record]))
    (found,) = (await contents(store)).sessions
    assert heard(found) == heard(record)
    assert replace(found, log=None) == replace(record, log=None)
    (again,) = (await contents(store)).sessions
    assert again == replace(record, log=None, cursors=())


async def test_sessions_change_and_end(store: AnyStore) -> None:
    other = replace(SESSION, id=SessionId("b2"), character=BOB)
    await write(store, batch(1, sessions=[SESSION, other]))
    changed = replace(SESSION, epoch="new", head=9, next_c=12, tokens=((("third", 0.0),),), seen=1_800_000_060.0)
    changed = replace(changed, asked=((11, 5),), undone=(9, 10), since=1_800_000_050.0)
    await write(store, batch(2, sessions=[changed, replace(other, ended=True)]))
    assert list((await contents(store)).sessions) == [changed]


# ── accounts ────────────────────────────────────────────────────────────────────────────────────


def account(name: str, character: EntityId = ANN) -> Account:
    return Account(AccountId(0), name, key(name), f"hash of {name}", character)


async def test_accounts_come_back(store: AnyStore) -> None:
    ann, bob = await store.add(account("Ann")), await store.add(account("Bob", BOB))
    assert ann == replace(account("Ann"), id=ann.id)
    assert 0 < ann.id != bob.id > 0
    assert (await store.by_key("ann"), await store.by_id(bob.id)) == (ann, bob)
    assert (await store.by_key("Ann"), await store.by_id(AccountId(999))) == (None, None)


@pytest.mark.parametrize("name", ["Zoe", "zoe", "ZOË", "Zoe\u0308"])
async def test_names_are_unique(store: AnyStore, name: str) -> None:
    """However it is written; the first one stays as it was."""
    first = await store.add(account("Zoë"))
    with pytest.raises(NameTaken, match=name):
        await store.add(replace(account(name, BOB), password="another"))
    assert await store.by_key(key(name)) == first


async def test_a_character_has_one_account(store: AnyStore) -> None:
    await store.add(account("Ann"))
    with pytest.raises(BadBatch, match=r"account[._]character"):
        await store.add(account("Bob", ANN))


async def test_a_character_is_its_accounts(store: AnyStore) -> None:
    """Though the server died between the account and the character's new row: it is no guest, and nobody's stray."""
    await write(store, batch(1, entities=[Character(ANN, "Guest1", YARD), Character(BOB, "Guest2", YARD)]))
    ann = await store.add(account("Ann"))
    assert list((await contents(store)).strays) == [BOB]
    (me,) = (await store.load_character(empty_town(), ANN)).entities
    assert isinstance(me, Character)
    assert (me.name, me.account, me.keeper) == ("Ann", ann.id, False)


async def test_counters_never_fall(store: AnyStore) -> None:
    """A batch that is tried again comes behind an account with a newer id: nobody is given that id again."""
    rows = store.encode(batch(1, next_id=5, next_tx=5))
    await store.add(account("Ann", EntityId("c9")))
    await store.write(rows)
    assert (await contents(store)).next_id == 10


async def test_accounts_change(store: AnyStore) -> None:
    ann, bob = await store.add(account("Ann")), await store.add(account("Bob", BOB))
    assert not await store.any_keeper()
    await store.set_keeper(ann.id, True)
    await store.set_password(ann.id, "new")
    assert await store.any_keeper()
    assert await store.by_id(ann.id) == replace(ann, keeper=True, password="new")
    assert await store.by_id(bob.id) == bob
    await store.set_keeper(ann.id, False)
    assert not await store.any_keeper()


async def test_some_accounts(store: AnyStore) -> None:
    """In the order they were made, a page at a time."""
    ann, bob = await store.add(account("Ann")), await store.add(account("Bob", BOB))
    assert list(await store.some(AccountId(0), 10)) == [ann, bob]
    assert list(await store.some(AccountId(0), 1)) == [ann]
    assert list(await store.some(ann.id, 1)) == [bob]
    assert list(await store.some(bob.id, 1)) == []


async def test_accounts_leave(store: AnyStore) -> None:
    """When their time has come, with their grants; their names are held for a while, by digests."""
    ann, bob = await store.add(account("Ann")), await store.add(account("Bob", BOB))
    assert (ann.leaves, list(await store.leaving(1e9))) == (0.0, [])
    await store.set_leaves(ann.id, 100.5)
    assert (await store.by_key("ann"), await store.by_key("bob")) == (replace(ann, leaves=100.5), bob)
    assert [list(await store.leaving(wall)) for wall in (100.0, 100.5)] == [[], [replace(ann, leaves=100.5)]]
    await store.add_grant(grant("h1", account=ann.id))
    await store.add_grant(grant("h2", "two", account=bob.id))
    await store.remove(ann.id, "digest", 101.0, 200.0)
    assert (await store.by_id(ann.id), await store.by_id(bob.id)) == (None, bob)
    assert [await store.use_grant(hash, 0.0) is None for hash in ("h1", "h2")] == [True, False]
    assert [await store.is_held("digest", wall) for wall in (199.0, 200.0)] == [True, False]
    assert not await store.is_held("other", 0.0)
    await store.remove(ann.id, "another", 102.0, 300.0)
    assert not await store.is_held("another", 0.0)
    await store.remove(bob.id, "bob", 250.0, 300.0)
    assert not await store.is_held("digest", 0.0)


async def test_the_grants_of_an_account(store: AnyStore) -> None:
    """Of all its sessions, and of nobody else."""
    ann, bob = await store.add(account("Ann")), await store.add(account("Bob", BOB))
    for hash, family, who in (("h1", "one", ann), ("h2", "two", ann), ("h3", "three", bob)):
        await store.add_grant(grant(hash, family, account=who.id))
    await store.revoke_account(ann.id)
    assert [await store.use_grant(hash, 0.0) is None for hash in ("h1", "h2", "h3")] == [True, True, False]


def grant(hash: str, family: str = "one", session: str = "a1", account: int | None = 1) -> RefreshGrant:
    who = None if account is None else AccountId(account)
    return RefreshGrant(hash, family, SessionId(session), who, 1000.0)


async def test_a_refresh_token_is_spent_once(store: AnyStore) -> None:
    """It is good until it ends, and for one use; what is unknown is good for none."""
    mine, guest, old = grant("h1"), grant("h2", "two", account=None), replace(grant("h3", "three"), expires=499.0)
    for one in (mine, guest, old):
        await store.add_grant(one)
    assert [await store.use_grant(hash, 500.0) for hash in ("h1", "h2", "h3", "h4")] == [mine, guest, None, None]
    assert [await store.use_grant(hash, 500.0) for hash in ("h1", "h2", "h3")] == [None, None, None]


async def test_reuse_revokes_the_family(store: AnyStore) -> None:
    """Who shows a spent token stole it, or was robbed: all that came from that login ends, other logins go on."""
    await store.add_grant(grant("h1"))
    assert await store.use_grant("h1", 0.0)
    await store.add_grant(grant("h2"))
    await store.add_grant(grant("other", "two"))
    assert await store.use_grant("h1", 1.0) is None
    assert await store.use_grant("h2", 1.0) is None
    assert await store.use_grant("other", 1.0) is not None


async def test_reuse_before_the_successor_is_made(store: AnyStore) -> None:
    """Two who use one token at the same time: the successor of the first comes too late to be good."""
    await store.add_grant(grant("h1"))
    assert await store.use_grant("h1", 0.0)
    assert await store.use_grant("h1", 0.0) is None
    await store.add_grant(grant("h2"))
    assert await store.use_grant("h2", 1.0) is None


async def test_a_session_is_revoked(store: AnyStore) -> None:
    """No token of it can be used any more; those of others can."""
    for one in (grant("h1"), grant("h2", "two"), grant("h3", "three", session="b2")):
        await store.add_grant(one)
    await store.revoke_session(SessionId("a1"))
    assert [await store.use_grant(hash, 0.0) is not None for hash in ("h1", "h2", "h3")] == [False, False, True]


async def test_an_account_is_revoked_with_its_session(store: AnyStore) -> None:
    """Also what it was given in sessions before, but nobody else's."""
    ann, bob = await store.add(account("Ann")), await store.add(account("Bob", BOB))
    await write(store, batch(1, sessions=[SESSION]))
    for one in (
        grant("now", account=ann.id),
        grant("before", "two", "older", account=ann.id),
        grant("bob", "three", "b2", account=bob.id),
        grant("guest", "four", "b3", account=None),
    ):
        await store.add_grant(one)
    await store.revoke_session(SESSION.id)
    good = [await store.use_grant(hash, 0.0) is not None for hash in ("now", "before", "bob", "guest")]
    assert good == [False, False, True, True]
