"""What the journeys ask of libgit2: `libgit2_client.py clone|fetch|commit|tag|push …`, with the token in TOKEN."""

import os
import sys

import pygit2

WHO = pygit2.Signature("A U Thor", "author@example.com")
TOKEN = os.environ["TOKEN"]


class Callbacks(pygit2.RemoteCallbacks):
    def __init__(self):
        super().__init__()
        self.asked = 0
        self.refused = []

    def credentials(self, url, username_from_url, allowed_types):
        self.asked += 1
        if not TOKEN or self.asked > 1:
            raise pygit2.GitError("the remote wants other credentials")
        return pygit2.UserPass("git", TOKEN)

    def push_update_reference(self, refname, message):
        if message is not None:
            self.refused.append(f"{refname}: {message}")


callbacks = Callbacks()
command, args = sys.argv[1], sys.argv[2:]
if command == "clone":
    pygit2.clone_repository(args[0], args[1], callbacks=callbacks)
elif command == "fetch":
    pygit2.Repository(args[1]).remotes["origin"].fetch(callbacks=callbacks)
elif command == "commit":
    repo = pygit2.Repository(args[0])
    repo.index.add(args[1])
    repo.index.write()
    repo.create_commit("HEAD", WHO, WHO, args[2], repo.index.write_tree(), [repo.head.target])
elif command == "tag":
    repo = pygit2.Repository(args[0])
    repo.create_tag(args[1], repo.head.target, pygit2.GIT_OBJ_COMMIT, WHO, "a tag\n")
elif command == "push":
    remotes = pygit2.Repository(args[1]).remotes
    remote = remotes["host"] if "host" in [each.name for each in remotes] else remotes.create("host", args[0])
    remote.push([args[2]], callbacks=callbacks)
else:
    sys.exit("no such command: " + command)
if callbacks.refused:
    sys.exit("\n".join(callbacks.refused))
