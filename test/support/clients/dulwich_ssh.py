"""dulwich by SSH, with paramiko: `dulwich_ssh.py URL DIRECTORY KEY` clones with a key, and pushes the branch `from-dulwich` back."""

import os
import sys

import paramiko
import paramiko.client
from dulwich import client, porcelain
from dulwich.contrib.paramiko_vendor import ParamikoSSHVendor

url, directory, key = sys.argv[1:]
client.get_ssh_vendor = ParamikoSSHVendor
QUIET = open(os.devnull, "wb")
porcelain.clone(url, directory, errstream=QUIET, key_filename=key)
repo = porcelain.open_repo(directory)
repo.do_commit(b"a commit of dulwich", committer=b"A U Thor <author@example.com>", author=b"A U Thor <author@example.com>")
porcelain.push(repo, url, [b"refs/heads/main:refs/heads/from-dulwich"], outstream=QUIET, errstream=QUIET, key_filename=key)
print("paramiko", paramiko.__version__)
