"""The world out of the store: at a start, and again after a batch that could never be written."""

from __future__ import annotations

from mythos.play.ports import Contents, Store
from mythos.play.realm import Realm
from mythos.world import movement
from mythos.world.state import Dice, World
from mythos.world.zones import Atlas

__all__ = ["load_again", "load_world"]


async def load_world(store: Store, atlas: Atlas, dice: Dice) -> tuple[World, Contents]:
    """A world with all that the store holds but characters, and what else was found there.

    :raises StoreDown: it could not be read
    """
    world = World(atlas, dice)
    contents = await store.load(world)
    world.now, world.next_id = contents.now, max(contents.next_id, 1)
    movement.build_doors(world)
    world.adopt(contents.entities.entities, contents.entities.hoards)
    return world, contents


async def load_again(realm: Realm) -> None:
    """Go on in the world as it is on disk. The realm is halted, and nothing is on its way to the store.

    :raises StoreDown: the realm stays halted; to be tried again
    """
    old = realm.world
    world, contents = await load_world(realm.store, old.atlas, old.dice)
    world.next_id = max(old.next_id, contents.next_id)  # ids that were told, though not written, are not used again
    for session in realm.every_session():
        stored = await realm.store.load_character(world, session.me.id)
        world.adopt(stored.entities, stored.hoards)
    realm.restart(world)
    realm.commits.counters = lambda: (world.now, world.next_id)
    realm.commits.submit(world.take_change(), kind="populate")
    realm.accounts.sleepers.restored(contents)
    realm.go_on()
