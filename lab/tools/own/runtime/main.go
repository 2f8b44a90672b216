// An OCI runtime that stands before runc. On a machine that does not hold every capability, runc refuses a container that
// asks for all of them (a privileged one). This program takes from the container's specification what the machine cannot
// give, then becomes runc. It only ever asks for less.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

var version = "dev"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("todo-deploy runtime", version)
	}
	if file := specification(os.Args[1:]); file.path != "" {
		if err := rewrite(file); err != nil {
			fmt.Fprintf(os.Stderr, "runtime: %s: %v\n", file.path, err)
			os.Exit(1)
		}
	}
	runc, err := findRunc()
	if err != nil {
		fmt.Fprintf(os.Stderr, "runtime: runc was not found: %v\n", err)
		os.Exit(1)
	}
	if err := syscall.Exec(runc, append([]string{runc}, os.Args[1:]...), os.Environ()); err != nil {
		fmt.Fprintf(os.Stderr, "runtime: %s: %v\n", runc, err)
		os.Exit(1)
	}
}

// A daemon may start its runtime with a bare PATH, so the usual folders are looked at too.
func findRunc() (string, error) {
	if path, err := exec.LookPath("runc"); err == nil {
		return path, nil
	}
	for _, folder := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"} {
		path := filepath.Join(folder, "runc")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}
