"""Guests, accounts, logins, tokens: who may play whom.

A name is one character and one account. Whoever logs in to a character that has a session goes on in that session.
Passwords are hashed in a pool of their own; resuming needs no hash. Every wait for the store or the pool is a
coroutine that a door awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from mythos.errors import Refusal
from mythos.flow.throttle import Throttle
from mythos.ids import AccountId, EntityId, SessionId
from mythos.play import names
from mythos.play.leaving import GRACE, Leaving
from mythos.play.person import person, sentences
from mythos.play.ports import (
    Account,
    AccountStore,
    Busy,
    Clock,
    Hasher,
    NameTaken,
    RefreshGrant,
    Store,
    StoreDown,
    TokenInvalid,
    Tokens,
)
from mythos.play.realm import Realm
from mythos.play.resume import ResumeTokens
from mythos.play.sanctions import Banned, Sanctions
from mythos.play.sessions import Session, Standing
from mythos.play.sleepers import Sleepers
from mythos.wire.message import line
from mythos.world.state import Character

__all__ = ["Accounts", "Grant", "TooManyTries", "WrongPassword"]

#: Seconds a refresh token is good.
REFRESH = 30 * 86_400.0
#: Seconds the first keeper's code is good.
CLAIM = 3_600.0


class WrongPassword(Refusal):
    """Unknown names get the same sentence, after the same time."""

    def __init__(self) -> None:
        super().__init__("That name and password do not belong together.")


class TooManyTries(Refusal):
    """:ivar wait: seconds until the next try is looked at"""

    def __init__(self, wait: float) -> None:
        super().__init__(f"Too many tries. Wait {max(1, round(wait))} seconds, then try again.")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client is given at login: an access token (JWT), a refresh token, and who it plays."""

    token: str
    refresh: str
    session: SessionId
    name: str


class Accounts:
    """See the module.

    :ivar no_guests: why nobody comes in as a new guest; empty: they do
    :ivar closed: why nobody comes in who has no session; empty: they do
    :ivar draining: the same, by an operator's word
    :ivar sanctions: who may not come in at all
    :ivar sleepers: sessions that nobody came back to yet
    :ivar leaving: accounts that are to be deleted
    """

    def __init__(
        self,
        realm: Realm,
        store: Store,
        accounts: AccountStore,
        hasher: Hasher,
        tokens: Tokens,
        clock: Clock,
        throttle: Throttle,
    ) -> None:
        self._realm = realm
        self._accounts = accounts
        self._hasher = hasher
        self._tokens = tokens
        self._clock = clock
        self._throttle = throttle
        self.sleepers = Sleepers(realm, store, tokens, clock)
        self._changing: set[EntityId] = set()  # whose account is being written
        self.leaving = Leaving(realm, accounts, self.sleepers, tokens, clock, self._change)
        self._claim = ("", 0.0)
        self.no_guests = ""
        self.closed = ""
        self.draining = ""
        self.sanctions = Sanctions()

    # ── coming in ───────────────────────────────────────────────────────────────────────────────

    def guest(self) -> Session:
        """A new guest in the shared first room. :raises Busy: there is no room for one"""
        if self.no_guests:
            raise Busy(self.no_guests)
        world = self._realm.world
        me = Character(world.new_id("c"), "", world.atlas.start)
        me.name = f"Guest{me.id[1:]}"
        return self._open(me)

    def _open(self, me: Character) -> Session:
        """A session for a character that has none; both are on disk before later words.

        :raises Busy: there is no room for one
        """
        if self.draining or self.closed:
            raise Busy(self.draining or self.closed)
        self._realm.world.characters[me.id] = me
        self._realm.commits.submit_entities([me])
        return self._realm.open_session(me)

    async def register_new(self, name: str, password: str) -> Session:
        """A new account with a new character.

        :raises Refusal: the name or the password is no good, or the name is taken
        :raises Busy: there is no room for one
        """
        if self.draining or self.closed:
            raise Busy(self.draining or self.closed)
        name = await self._allowed(name)
        _check_password(password)
        hash = await self._hasher.hash(password)
        id = self._realm.world.new_id("c")
        account = await self._accounts.add(Account(AccountId(0), name, names.key(name), hash, id))
        return await self._session_for(account)

    async def register(self, session: Session, name: str, password: str) -> None:
        """A guest becomes an account without leaving. Tells the player how it went."""
        try:
            if session.me.account is not None:
                raise Refusal(f"You are {session.me.name} already.")
            name = await self._allowed(name)
            _check_password(password)
            with self._change(session.me.id):
                hash = await self._hasher.hash(password)
                if session.standing is Standing.ENDED:
                    return
                account = await self._accounts.add(Account(AccountId(0), name, names.key(name), hash, session.me.id))
        except (StoreDown, Refusal) as error:
            self._realm.words_to(session, _sorry(error))
            return
        me = session.me  # another one than before, if the world was loaded again meanwhile
        was, me.name, me.account = me.name, account.name, account.id
        self._realm.commits.submit_entities([me])
        if me.id in self._realm.world.characters:  # else it left while that was written, and holds nothing any more
            self._realm.renamed(session, was)

    async def change_password(self, session: Session, old: str, new: str) -> None:
        """Tells the player how it went. From then on no token is good but the resume tokens of who is connected."""
        try:
            await self.set_own_password(session, old, new)
        except (StoreDown, Refusal) as error:
            self._realm.words_to(session, _sorry(error))
            return
        self._realm.words_to(session, "Your password is changed.")

    async def set_own_password(self, session: Session, old: str, new: str) -> None:
        """See :meth:`change_password`. :raises Refusal:"""
        account = await self._proven(session, old)
        _check_password(new)
        with self._change(account.character):
            await self._accounts.set_password(account.id, await self._hasher.hash(new))
            await self._accounts.revoke_account(account.id)
        session.tokens.keep({connection.token for connection in session.connections})
        session.since = float(int(self._clock.wall()))
        self._realm.keep(session)

    async def _proven(self, session: Session, password: str) -> Account:
        """The account of a session whose player knows its password. :raises Refusal:"""
        account = await self._of(session)
        wait = await self._throttle.wait(f"/password {account.key}", session.id, self._clock.seconds())
        if wait:
            raise TooManyTries(wait)
        if not await self._hasher.verify(account.password, password):
            raise Refusal("That is not your password. Nothing was changed.")
        return account

    async def delete_own(self, session: Session, password: str) -> float:
        """Delete the account of a session, after the grace; returns the unix second. The session is over.

        :raises Refusal:
        """
        return await self._plan(await self._proven(session, password), GRACE)

    async def _plan(self, account: Account, seconds: float) -> float:
        leaves = await self.leaving.plan(account, seconds)
        until = f"{datetime.fromtimestamp(leaves, UTC):%Y-%m-%d %H:%M} UTC"
        kept = f"Who logs in as {account.name} before {until} keeps the account." if seconds else ""
        farewell = line("system", f"The account {account.name} is deleted. {kept}".strip())

        def end(session: Session) -> None:
            self._realm.words_to(session, farewell)
            self._realm.quit(session, "deleted")

        self._end_all(account, end)
        return leaves

    async def export_own(self, session: Session) -> dict[str, Any]:
        """See :func:`~mythos.play.person.person`. :raises Refusal: a guest has nothing that is kept"""
        return await person(self._realm, self._accounts, await self._of(session))

    async def tell_kept(self, session: Session) -> None:
        """The player is told all that :meth:`export_own` gives, but for what they were told before."""
        try:
            found = await self.export_own(session)
        except (StoreDown, Refusal) as error:
            self._realm.words_to(session, _sorry(error))
            return
        for one in found["sessions"]:
            one["told"] = f"{len(one['told'])} lines"
        self._realm.words_to(session, *[line("system", text) for text in sentences(found)])

    async def delete_account(self, session: Session, password: str) -> None:
        """As :meth:`delete_own`; the player is told how it went."""
        try:
            await self.delete_own(session, password)
        except (StoreDown, Refusal) as error:
            self._realm.words_to(session, _sorry(error))

    async def _allowed(self, name: str) -> str:
        """A new name, as it is shown. :raises Refusal: it is no good, banned, or was another's not long ago"""
        name = names.check(name)
        if self.sanctions.of_name(name, self._clock.wall()):
            raise names.BadName(f"The name {name} may not be taken here.")
        if await self.leaving.is_held(names.key(name)):
            raise NameTaken(f"The name {name} is taken.")
        return name

    def _admit(self, name: str) -> None:
        """:raises Banned: who has this name may not come in"""
        if banned := self.sanctions.of_name(name, self._clock.wall()):
            raise Banned(banned.sentence())

    @contextmanager
    def _change(self, character: EntityId) -> Iterator[None]:
        """Of a character's account, one at a time. :raises Refusal: another is being made"""
        if character in self._changing:
            raise Refusal("That is being done. Wait a moment.")
        self._changing.add(character)
        try:
            yield
        finally:
            self._changing.discard(character)

    async def _of(self, session: Session) -> Account:
        account = await self._accounts.by_id(session.me.account) if session.me.account is not None else None
        if account is None:
            raise Refusal("A guest has no account. To make one, type: register <name>")
        return account

    async def login(self, name: str, password: str, address: str) -> Session:
        """:raises WrongPassword: also for a name nobody has
        :raises TooManyTries:
        """
        key = names.key(name.strip())
        wait = await self._throttle.wait(key, address, self._clock.seconds())
        if wait:
            raise TooManyTries(wait)
        account = await self._accounts.by_key(key)
        good = await self._hasher.verify(account.password if account else None, password)
        if account is None or not good or (account.leaves and not await self.leaving.cancel(account)):
            raise WrongPassword
        self._throttle.succeeded(key, address)
        self._admit(account.name)
        if self._hasher.outdated(account.password):
            self._realm.start(self._hash_again(account, password))
        session = await self._session_for(account)
        if account.leaves:
            session.news = "Your account was to be deleted. You came back, so it stays."
        return session

    async def _hash_again(self, account: Account, password: str) -> None:
        """With today's parameters; the old hash does until that has gone well, at this login or another."""
        with suppress(StoreDown, Refusal), self._change(account.character):
            hash = await self._hasher.hash(password)
            current = await self._accounts.by_id(account.id)
            if current is not None and current.password == account.password:  # else it was changed before
                await self._accounts.set_password(account.id, hash)

    async def known(self, name: str) -> bool:
        """Whether an account of that name is there: a telnet door asks for its password or offers the name."""
        return await self._accounts.by_key(names.key(name.strip())) is not None

    async def spelled(self, name: str) -> str:
        """A player's name as they write it, whether they play or not; empty if there is no such player."""
        account = await self._accounts.by_key(names.key(name))
        return account.name if account is not None and account.name.lower() == name.lower() else ""

    async def _session_for(self, account: Account) -> Session:
        sleepers = self.sleepers
        standing = sleepers.playing(account.character)
        if standing is not None:
            return standing
        if (record := next(sleepers.of(account.character), None)) is not None:
            return await sleepers.wake(record)
        me = await sleepers.character(account.character)
        standing = sleepers.playing(account.character)
        if standing is not None:
            return standing
        if me is None:  # it is new, or the server died between the account and its character
            me = Character(account.character, account.name, self._realm.world.atlas.start)
        me.name, me.account, me.keeper = account.name, account.id, account.keeper
        return self._open(me)

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────

    async def grant(self, session: Session, family: str = "") -> Grant:
        """The tokens of a login; true on disk when it returns."""
        wall = self._clock.wall()
        secret = self._tokens.secret()
        me = session.me
        await self._accounts.add_grant(
            RefreshGrant(
                self._tokens.digest(secret),
                family or self._tokens.secret()[:22],
                session.id,
                me.account,
                wall + REFRESH,
            )
        )
        return Grant(self._tokens.access(session.id, me.id, me.account, wall), secret, session.id, me.name)

    async def refresh(self, secret: str) -> Grant:
        """:raises TokenInvalid: unknown, expired, or used before: then its whole family is revoked"""
        used = await self._accounts.use_grant(self._tokens.digest(secret), self._clock.wall())
        if used is None:
            raise TokenInvalid("That token is not good any more. Log in again.")
        session = await self._find(used.session)
        if session is not None and session.standing is Standing.ENDED:
            raise TokenInvalid("That session is over. Log in again.")
        if session is None and used.account is not None:
            account = await self._accounts.by_id(used.account)
            session = await self._session_for(account) if account is not None else None
        if session is None:
            raise TokenInvalid("That session is over. Log in again.")
        self._admit(session.me.name)
        return await self.grant(session, used.family)

    async def session_by(self, token: str) -> Session:
        """Whose a JWT or a resume token is. :raises TokenInvalid:"""
        wall = self._clock.wall()
        id, _, secret = token.partition(".")
        if "." in secret:
            claims = self._tokens.read(token, wall)
            session = await self._find(claims.session)
            if session is None or session.me.id != claims.character or session.standing is Standing.ENDED:
                raise TokenInvalid("That session is over. Log in again.")
            if claims.issued < session.since:
                raise TokenInvalid("The password was changed. Log in again.")
            self._admit(session.me.name)
            return session
        asleep = self.sleepers.get(SessionId(id))
        digest = self._tokens.digest(token)
        session = self._realm.session(SessionId(id))
        if asleep is not None and ResumeTokens(asleep.tokens).good(digest, wall):
            session = await self.sleepers.wake(asleep)
        if session is None or not session.tokens.good(digest, wall) or session.standing is Standing.ENDED:
            raise TokenInvalid("That session is over. Log in again.")
        self._admit(session.me.name)
        session.tokens.arrived(digest, wall)
        return session

    async def _find(self, id: SessionId) -> Session | None:
        asleep = self.sleepers.get(id)
        return await self.sleepers.wake(asleep) if asleep is not None else self._realm.session(id)

    async def logout(self, session: Session) -> None:
        """Every token of the session is worth nothing from now on."""
        await self._accounts.revoke_session(session.id)
        self._realm.quit(session)

    # ── the first keeper ────────────────────────────────────────────────────────────────────────

    async def offer_claim(self) -> str:
        """A code that makes one account keeper, once, for 60 minutes; empty if the world has a keeper."""
        if await self._accounts.any_keeper():
            return ""
        letters = "".join(
            [letter for letter in self._tokens.secret().upper() if letter in "ABCDEFGHJKMNPQRSTUVWXYZ23456789"]
        )
        code = f"{letters[:4]}-{letters[4:8]}"
        self._claim = (self._tokens.digest(code), self._clock.wall() + CLAIM)
        return code

    async def claim(self, code: str, name: str, password: str, address: str) -> Session:
        """Log in or register, and become keeper. :raises Refusal: the code is wrong, used or too old"""
        wait = await self._throttle.wait("/claim", address, self._clock.seconds())
        if wait:
            raise TooManyTries(wait)
        digest, ends = self._claim
        if not digest or self._tokens.digest(code.strip().upper()) != digest or self._clock.wall() > ends:
            raise Refusal("That code is not good: it works once, for 60 minutes after the server's first start.")
        self._claim = ("", 0.0)
        done = False
        try:
            known = await self.known(name)
            session = await (self.login(name, password, address) if known else self.register_new(name, password))
            account = await self._of(session)
            await self._accounts.set_keeper(account.id, True)
            done = True
        finally:
            if not done:
                self._claim = (digest, ends)
        session.me.keeper = True
        self._realm.commits.submit_entities([session.me])
        return session

    # ── an operator's hand ──────────────────────────────────────────────────────────────────────

    async def find(self, name: str) -> Account:
        """:raises Refusal: nobody has that name"""
        account = await self._accounts.by_key(names.key(name.strip()))
        if account is None:
            raise Refusal(f"There is no account {name!r}.")
        return account

    async def some(self, behind: int, most: int) -> Sequence[Account]:
        """Accounts in the order they were made, those behind one."""
        return await self._accounts.some(AccountId(behind), most)

    async def set_password(self, name: str, password: str) -> Account:
        """Whoever is in by the old one is sent out. :raises Refusal:"""
        account = await self.find(name)
        _check_password(password)
        with self._change(account.character):
            await self._accounts.set_password(account.id, await self._hasher.hash(password))
            await self._accounts.revoke_account(account.id)
        self._end_all(account, lambda session: self._realm.kick(session, "Your password was changed by an operator."))
        return account

    async def delete(self, name: str, seconds: float) -> tuple[Account, float]:
        """Delete an account after so long; returns it and the unix second. Whoever is in is sent out.

        :raises Refusal:
        """
        account = await self.find(name)
        leaves = await self._plan(account, seconds)
        if not seconds:
            self._realm.commits.after(self.leaving.look, lasting=True)  # behind the end of its session
        return account, leaves

    async def export(self, name: str) -> dict[str, Any]:
        """See :func:`~mythos.play.person.person`. :raises Refusal: nobody has that name"""
        return await person(self._realm, self._accounts, await self.find(name))

    async def keep(self, name: str) -> Account:
        """An account that was to be deleted stays. :raises Refusal: it was not, or it is too late"""
        account = await self.find(name)
        if not account.leaves:
            raise Refusal(f"The account {account.name} is not to be deleted.")
        if not await self.leaving.cancel(account):
            raise Refusal(f"The account {account.name} is being deleted: it is too late.")
        return account

    async def set_keeper(self, name: str, keeper: bool) -> Account:
        """Counts at once for who plays. :raises Refusal:"""
        account = await self.find(name)
        await self._accounts.set_keeper(account.id, keeper)
        session = self._realm.session_of(account.character)
        if session is not None and session.standing is not Standing.ENDED:
            session.me.keeper = keeper
            self._realm.commits.submit_entities([session.me])
            self._realm.snapshot(session)
        return replace(account, keeper=keeper)

    def _end_all(self, account: Account, end: Callable[[Session], None]) -> None:
        """No session of an account goes on; ``end`` ends that of who plays."""
        session = self._realm.session_of(account.character)
        if session is not None and session.standing is not Standing.ENDED:
            end(session)
        self.sleepers.end(account.character)

    async def create(self, name: str, password: str, *, keeper: bool = False) -> Account:
        """An account by an operator's hand. :raises Refusal:"""
        name = names.check(name)
        _check_password(password)
        hash = await self._hasher.hash(password)
        me = Character(self._realm.world.new_id("c"), name, self._realm.world.atlas.start)
        account = await self._accounts.add(Account(AccountId(0), name, names.key(name), hash, me.id, keeper))
        me.account, me.keeper = account.id, keeper
        self._realm.commits.submit_entities([me])
        return account


def _check_password(password: str) -> None:
    if not 8 <= len(password) <= 256:
        raise Refusal("A password has at least 8 characters.")


def _sorry(error: Exception) -> str:
    if isinstance(error, Refusal):
        return str(error)
    return "The world's ledger cannot be written just now, so that may not be done. Try again in a moment."
