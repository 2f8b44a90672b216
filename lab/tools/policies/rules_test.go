package main

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTheSetHoldsEveryAddressOnceAndIsExchanged(t *testing.T) {
	text := setOf([]netip.Addr{netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.10"), netip.MustParseAddr("fd00::1")})
	wanted := "add lab-policies-next 10.0.0.9\nadd lab-policies-next 10.0.0.10\nswap lab-policies-next lab-policies\n"
	if !strings.Contains(text, wanted) || strings.Contains(text, "fd00") {
		t.Errorf("got %s", text)
	}
}

func TestWhatTheNodeSendsIsNotAskedAbout(t *testing.T) {
	text := rules(netip.MustParsePrefix("10.96.0.0/16"))
	local := strings.Index(text, "--src-type LOCAL --jump RETURN")
	queue := strings.Index(text, "NFQUEUE")
	if local < 0 || queue < local {
		t.Errorf("got %s", text)
	}
}

func TestTheAddressOfAServiceDoesNotLeaveTheNode(t *testing.T) {
	text := rules(netip.MustParsePrefix("10.96.0.0/16"))
	filter := text[strings.Index(text, "*filter"):]
	if !strings.Contains(filter, "--destination 10.96.0.0/16 --jump REJECT") {
		t.Errorf("got %s", text)
	}
}
