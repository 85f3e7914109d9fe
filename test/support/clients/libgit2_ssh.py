"""libgit2 by SSH: `libgit2_ssh.py URL DIRECTORY KEY` clones with a key, and pushes the branch `copied` back."""

import sys

import pygit2


class Callbacks(pygit2.RemoteCallbacks):
    def credentials(self, url, username_from_url, allowed_types):
        return pygit2.Keypair("git", KEY + ".pub", KEY, "")

    def certificate_check(self, certificate, valid, host):
        return True


url, directory, KEY = sys.argv[1:]
repo = pygit2.clone_repository(url, directory, callbacks=Callbacks())
repo.branches.local.create("copied", repo[repo.head.target])
repo.remotes["origin"].push(["refs/heads/copied"], callbacks=Callbacks())
