// Writes to a repository through the GitHub API of a host, with go-github, and prints what came of each step. Its arguments are the
// address of the API, a token, an owner and the name of a repository that is to be made.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/google/go-github/github"
)

type withToken struct{ token string }

func (t withToken) RoundTrip(request *http.Request) (*http.Response, error) {
	request.Header.Set("Authorization", "Bearer "+t.token)
	return http.DefaultTransport.RoundTrip(request)
}

func must(step string, err error) {
	if err != nil {
		fmt.Println("failed:", step, err)
		os.Exit(1)
	}
}

// Says why a request was refused.
func refusal(err error) string {
	if answer, ok := err.(*github.ErrorResponse); ok {
		return fmt.Sprint(answer.Response.StatusCode, " ", answer.Message)
	}
	return fmt.Sprint(err)
}

func main() {
	base, token, owner, name := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx := context.Background()
	client, err := github.NewEnterpriseClient(base, base, &http.Client{Transport: withToken{token}})
	must("client", err)

	made, _, err := client.Repositories.Create(ctx, owner, &github.Repository{Name: github.String(name), Private: github.Bool(true)})
	must("create", err)
	fmt.Println("repository", made.GetFullName(), made.GetPrivate())

	file := func(branch, path, text, message string) string {
		options := &github.RepositoryContentFileOptions{Message: github.String(message), Content: []byte(text), Branch: github.String(branch)}
		answer, _, err := client.Repositories.CreateFile(ctx, owner, name, path, options)
		must("file "+path, err)
		return answer.GetSHA()
	}
	first := file("main", "a.txt", "one\n", "first")
	for _, branch := range []string{"topic", "clash", "ahead"} {
		ref := &github.Reference{Ref: github.String("refs/heads/" + branch), Object: &github.GitObject{SHA: github.String(first)}}
		_, _, err = client.Git.CreateRef(ctx, owner, name, ref)
		must("ref", err)
	}
	file("topic", "b.txt", "two\n", "second")
	file("clash", "c.txt", "theirs\n", "theirs")
	file("main", "c.txt", "ours\n", "ours")

	merge := func(base, head, message string) string {
		request := &github.RepositoryMergeRequest{Base: github.String(base), Head: github.String(head)}
		if message != "" {
			request.CommitMessage = github.String(message)
		}
		commit, response, err := client.Repositories.Merge(ctx, owner, name, request)
		if err != nil {
			return refusal(err)
		}
		return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", len(commit.Parents), " ", commit.GetCommit().GetMessage()))
	}
	fmt.Println("merge", merge("main", "topic", "Bring b in"))
	fmt.Println("merge", merge("main", "topic", ""))
	fmt.Println("merge", merge("main", "clash", ""))
	fmt.Println("merge", merge("nothing", "topic", ""))
	fmt.Println("merge", merge("main", "nothing", ""))

	// One commit of two files, as programs make it that know no better way.
	ref, _, err := client.Git.GetRef(ctx, owner, name, "refs/heads/main")
	must("get ref", err)
	entries := []*github.TreeEntry{
		{Path: github.String("d/e.txt"), Mode: github.String("100644"), Type: github.String("blob"), Content: github.String("e\n")},
		{Path: github.String("d/f.sh"), Mode: github.String("100755"), Type: github.String("blob"), Content: github.String("f\n")},
	}
	tree, _, err := client.Git.CreateTree(ctx, owner, name, ref.GetObject().GetSHA(), entries)
	must("tree", err)
	parent := &github.Commit{SHA: ref.GetObject().SHA}
	commit, _, err := client.Git.CreateCommit(ctx, owner, name, &github.Commit{Message: github.String("two files"), Tree: tree, Parents: []*github.Commit{parent}})
	must("commit", err)
	ref.Object.SHA = commit.SHA
	_, _, err = client.Git.UpdateRef(ctx, owner, name, ref, false)
	must("update ref", err)

	got, _, _, err := client.Repositories.GetContents(ctx, owner, name, "d/e.txt", nil)
	must("contents", err)
	text, err := got.GetContent()
	must("content", err)
	fmt.Println("contents", base64.StdEncoding.EncodeToString([]byte(text)), got.GetSHA())
	status := &github.RepoStatus{State: github.String("success"), Context: github.String("ci")}
	_, _, err = client.Repositories.CreateStatus(ctx, owner, name, commit.GetSHA(), status)
	must("status", err)
	combined, _, err := client.Repositories.GetCombinedStatus(ctx, owner, name, "main", nil)
	must("combined status", err)
	fmt.Println("status", combined.GetState(), combined.GetTotalCount())
	branches, _, err := client.Repositories.ListBranches(ctx, owner, name, nil)
	must("branches", err)
	fmt.Println("branches", len(branches))
	_, err = client.Git.DeleteRef(ctx, owner, name, "refs/heads/ahead")
	must("delete ref", err)
	_, response, err := client.Repositories.CreateFork(ctx, owner, name, &github.RepositoryCreateForkOptions{Organization: owner, Name: name + "-fork"})
	if _, isQueued := err.(*github.AcceptedError); err != nil && !isQueued {
		fmt.Println("fork", refusal(err))
	} else {
		fmt.Println("fork", response.StatusCode)
	}
}
