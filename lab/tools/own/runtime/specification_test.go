package main

import (
	"strings"
	"testing"
)

const privileged = `{"ociVersion":"1.1.0","process":{"oomScoreAdj":-998,"rlimits":[{"type":"RLIMIT_NOFILE"}],` +
	`"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"]}},"linux":{"resources":{"memory":{"limit":9223372036854771712}}}}`

func TestTakesWhatTheMachineCannotGive(t *testing.T) {
	out, err := reduce([]byte(privileged), false, limits{bounding: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"CAP_SYS_RESOURCE", "rlimits", "-998"} {
		if strings.Contains(string(out), gone) {
			t.Errorf("%s is still in %s", gone, out)
		}
	}
	for _, kept := range []string{"CAP_CHOWN", "9223372036854771712"} {
		if !strings.Contains(string(out), kept) {
			t.Errorf("%s is missing in %s", kept, out)
		}
	}
}

func TestLeavesAFullMachineAlone(t *testing.T) {
	out, err := reduce([]byte(privileged), false, limits{bounding: ^uint64(0)})
	if err != nil || string(out) != privileged {
		t.Errorf("changed to %s (%v)", out, err)
	}
}

func TestFindsWhatRuncWillRead(t *testing.T) {
	for _, want := range []struct{ line, path string }{
		{"--root /r --log /l create --bundle /b --pid-file /p id", "/b/config.json"},
		{"--log-format json run -b /b id", "/b/config.json"},
		{"exec --process /tmp/p --detach id", "/tmp/p"},
		{"--root /r delete --force id", ""},
	} {
		if got := specification(strings.Fields(want.line)); got.path != want.path {
			t.Errorf("%s: got %q", want.line, got.path)
		}
	}
}
