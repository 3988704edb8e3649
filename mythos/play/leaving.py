"""Accounts that are to be deleted: a grace in which their players may come back, then nothing of a person is left.

What goes: the account with its name, password and tokens, the character and all it holds, its sessions, mutes and bans
of the account, and what was said by that name on channels. What stays is nobody's: postings of the ledger under the
character's number. The name, as a digest, may not be taken for a while, so that nobody is mistaken for who had it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.play.ports import Account, AccountStore, Clock, StoreDown, Tokens
from mythos.play.realm import Realm
from mythos.play.sanctions import Kind
from mythos.play.sleepers import Sleepers

__all__ = ["GRACE", "HELD", "Leaving"]

#: Seconds in which who logs in keeps the account, and in which nobody may take its name afterwards.
GRACE: Final = 14 * 86_400.0
HELD: Final = 90 * 86_400.0


class Leaving:
    """See the module.

    :param changing: holds off other changes of a character's account; may raise Refusal
    """

    def __init__(
        self,
        realm: Realm,
        accounts: AccountStore,
        sleepers: Sleepers,
        tokens: Tokens,
        clock: Clock,
        changing: Callable[[EntityId], AbstractContextManager[None]],
    ) -> None:
        self._realm = realm
        self._accounts = accounts
        self._sleepers = sleepers
        self._tokens = tokens
        self._clock = clock
        self._changing = changing
        self._looking = False
        self._going: set[EntityId] = set()  # out of memory; their accounts wait until that is on disk

    async def plan(self, account: Account, seconds: float) -> float:
        """Delete it after so long; returns the unix second. No token of it is good from now on.

        :raises Refusal: it is being changed otherwise
        """
        leaves = self._clock.wall() + seconds
        with self._changing(account.character):
            await self._accounts.set_leaves(account.id, leaves)
            await self._accounts.revoke_account(account.id)
        return leaves

    async def cancel(self, account: Account) -> bool:
        """It stays after all. False: it is gone, or as good as gone."""
        with self._changing(account.character):
            known = await self._accounts.by_id(account.id)
            if known is None or 0.0 < known.leaves <= self._clock.wall():
                return False
            await self._accounts.set_leaves(account.id, 0.0)
        return True

    async def is_held(self, key: str) -> bool:
        """Whether the name of that key is that of an account that was deleted not long ago."""
        return await self._accounts.is_held(self._tokens.digest(key), self._clock.wall())

    def look(self) -> None:
        """Let those go whose time has come. Who cannot just now, for want of the disk, goes at another look."""
        if not self._looking and not self._realm.world.sealed:
            self._looking = True
            self._realm.start(self._look())

    async def _look(self) -> None:
        try:
            for account in await self._accounts.leaving(self._clock.wall()):
                await self._go(account)
        except (StoreDown, Refusal):  # and nothing was changed
            return
        finally:
            self._looking = False

    async def _go(self, account: Account) -> None:
        """First the character, with what it holds; once that is on disk, the account. A crash between leaves an account
        without a character, which goes at the next look."""
        realm, id = self._realm, account.character
        if not realm.commits.pending:
            self._going.clear()  # all of it is on disk, or was given up
        if id in self._going or realm.session_of(id) is not None:
            return
        with self._changing(id):
            me = await self._sleepers.character(id)
            if me is not None:
                if realm.session_of(id) is not None:
                    return
                me.account = None
                realm.put_away(me)
        self._going.add(id)
        realm.commits.after(lambda: realm.start(self._forget(account)))

    async def _forget(self, account: Account) -> None:
        wall, digest = self._clock.wall(), self._tokens.digest(account.key)
        try:
            self._realm.accounts.sanctions.forget((Kind.MUTE, account.character), (Kind.ACCOUNT, account.key))
            await self._accounts.remove(account.id, digest, wall, wall + HELD)
        except (StoreDown, Refusal):  # it is looked for again
            return
        self._realm.channels.forget(account.name)
        if self._realm.intermud is not None:
            self._realm.intermud.forget(account.name)
