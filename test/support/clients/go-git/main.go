// go-git by SSH: `main URL DIRECTORY KEY` clones with a key, commits a file, and pushes the branch `from-go-git` back.
package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/go-git/go-git"
	"github.com/go-git/go-git/config"
	"github.com/go-git/go-git/plumbing/object"
	"github.com/go-git/go-git/plumbing/transport/ssh"
	gossh "golang.org/x/crypto/ssh"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	url, directory, key := os.Args[1], os.Args[2], os.Args[3]
	auth, err := ssh.NewPublicKeysFromFile("git", key, "")
	check(err)
	auth.HostKeyCallback = gossh.InsecureIgnoreHostKey()
	repository, err := git.PlainClone(directory, false, &git.CloneOptions{URL: url, Auth: auth})
	check(err)
	check(os.WriteFile(filepath.Join(directory, "from-go-git.txt"), []byte("go-git\n"), 0o644))
	tree, err := repository.Worktree()
	check(err)
	_, err = tree.Add("from-go-git.txt")
	check(err)
	who := &object.Signature{Name: "A U Thor", Email: "author@example.com", When: time.Unix(1800000000, 0)}
	_, err = tree.Commit("a commit of go-git", &git.CommitOptions{Author: who})
	check(err)
	spec := config.RefSpec("refs/heads/main:refs/heads/from-go-git")
	check(repository.Push(&git.PushOptions{RemoteName: "origin", RefSpecs: []config.RefSpec{spec}, Auth: auth}))
}
