from twisted.application.service import ServiceMaker

mythos = ServiceMaker(
    "mythos", "mythos.tap", "A MUD server that anyone can reach and that never drops a line", "mythos"
)
