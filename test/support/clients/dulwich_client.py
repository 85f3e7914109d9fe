"""What the journeys ask of dulwich: `dulwich_client.py clone|fetch|commit|tag|push …`, with the token in TOKEN."""

import os
import sys

from dulwich import porcelain
from dulwich.repo import Repo

WHO = b"A U Thor <author@example.com>"
TOKEN = os.environ["TOKEN"]
AUTH = {"username": "git", "password": TOKEN} if TOKEN else {}
NULL = open(os.devnull, "wb")

command, args = sys.argv[1], sys.argv[2:]
if command == "clone":
    depth = int(args[2]) if len(args) > 2 else None
    porcelain.clone(args[0], args[1], errstream=NULL, depth=depth, **AUTH)
elif command == "fetch":
    porcelain.fetch(Repo(args[1]), "origin", outstream=sys.stdout, errstream=NULL, **AUTH)
elif command == "commit":
    repo = Repo(args[0])
    repo.stage([args[1].encode()])
    repo.do_commit(args[2].encode(), committer=WHO, author=WHO)
elif command == "tag":
    porcelain.tag_create(Repo(args[0]), args[1].encode(), author=WHO, message=b"a tag\n", annotated=True)
elif command == "push":
    porcelain.push(Repo(args[1]), args[0], [args[2].encode()], outstream=NULL, errstream=NULL, **AUTH)
else:
    sys.exit("no such command: " + command)
