"""Somebody at a program written with pydle: `pydle_member.py PORT NICK [PASSWORD]`.

Lines of standard input are `TO TEXT` and are said; at the line `QUIT` it leaves. What pydle tells the program is written
to standard output, a JSON object a line.
"""

import asyncio
import json
import logging
import sys

import pydle


def show(**what):
    print(json.dumps(what), flush=True)


class Member(pydle.Client):
    async def on_connect(self):
        await super().on_connect()
        await self.join("#tea")

    async def on_join(self, channel, user):
        await super().on_join(channel, user)
        show(place=channel, joined=user)

    async def on_message(self, target, source, message):
        await super().on_message(target, source, message)
        # What comes right after the welcome comes before pydle knows its own name.
        own = self.is_channel(target) or self.is_same_nick(source, self.nickname)
        place = target if own else source
        show(place=place, by=source, said=message)

    async def on_notice(self, target, source, message):
        await super().on_notice(target, source, message)
        show(place=source, by=source, said=message)

    async def on_disconnect(self, expected):
        show(place="", left=True)
        self.gone.set()


async def typed(member):
    """Says what is typed."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        to, _, text = line.rstrip("\n").partition(" ")
        if to == "QUIT":
            await member.rawmsg("QUIT")
            return
        await member.message(to, text)


async def main(port, nick, password=None):
    login = {"sasl_username": nick, "sasl_password": password, "sasl_mechanism": "PLAIN"} if password else {}
    member = Member(nick, realname=nick, **login)
    member.gone = asyncio.Event()
    await member.connect("127.0.0.1", int(port))
    typing = asyncio.create_task(typed(member))
    await member.gone.wait()
    typing.cancel()


# It warns of every numeric that it does not know.
logging.basicConfig(level=logging.ERROR)
asyncio.run(main(*sys.argv[1:]))
