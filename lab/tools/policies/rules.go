package main

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

const (
	policies    = "LAB-POLICIES"
	services    = "LAB-SERVICES"
	set         = "lab-policies"
	toolTimeout = 20 * time.Second
)

// Where the chains are entered. All of it is after the address of a Service became the one of a pod, and before a pod's own became
// the node's. INPUT: from a pod to the node.
var jumps = []struct{ table, hook, chain string }{
	{"mangle", "POSTROUTING", policies},
	{"mangle", "INPUT", policies},
	{"filter", "OUTPUT", services},
	{"filter", "FORWARD", services},
}

// syncRules makes the kernel ask for the connections of every pod that a policy selects, and for no others.
func syncRules(ctx context.Context, engine *networkpolicy.PolicyEngine, serviceNetwork netip.Prefix) error {
	addresses, _, err := engine.GetManagedIPs(ctx)
	if err != nil {
		return err
	}
	if err := tell(ctx, setOf(addresses), "ipset", "restore"); err != nil {
		return err
	}
	if err := tell(ctx, rules(serviceNetwork), "iptables-restore", "--wait", "10", "--noflush"); err != nil {
		return err
	}
	for _, one := range jumps {
		table := []string{"--wait", "10", "--table", one.table}
		jump := []string{one.hook, "--jump", one.chain}
		if tell(ctx, "", "iptables", append(append(table, "--check"), jump...)...) == nil {
			continue
		}
		if err := tell(ctx, "", "iptables", append(append(table, "--insert"), jump...)...); err != nil {
			return err
		}
	}
	return nil
}

// setOf fills a second set and exchanges the two, so that no moment is without the addresses. The lab's pods have IPv4 only.
func setOf(addresses []netip.Addr) string {
	next := set + "-next"
	lines := []string{
		"create -exist " + set + " hash:ip family inet",
		"create -exist " + next + " hash:ip family inet",
		"flush " + next,
	}
	wanted := slices.Clone(addresses)
	slices.SortFunc(wanted, netip.Addr.Compare)
	for _, address := range wanted {
		if address.Is4() {
			lines = append(lines, "add "+next+" "+address.String())
		}
	}
	lines = append(lines, "swap "+next+" "+set, "destroy "+next)
	return strings.Join(lines, "\n") + "\n"
}

// rules bring the first packet of a connection to the queue. What the node itself sends passes: probes, the API server's proxy.
// The address of a Service that leads to no pod stays on the node: a machine outside may answer for it, and a connection made while
// the node did not know the way would stay there for as long as it is answered.
func rules(serviceNetwork netip.Prefix) string {
	queue := fmt.Sprintf("--jump NFQUEUE --queue-num %d --queue-bypass", queueNumber)
	lost := "--append " + services + " --destination " + serviceNetwork.String()
	return strings.Join([]string{
		"*mangle",
		":" + policies + " - [0:0]",
		"--append " + policies + " --match conntrack --ctstate ESTABLISHED,RELATED --jump RETURN",
		"--append " + policies + " --match addrtype --src-type LOCAL --jump RETURN",
		"--append " + policies + " --match set --match-set " + set + " src " + queue,
		"--append " + policies + " --match set --match-set " + set + " dst " + queue,
		"COMMIT",
		"*filter",
		":" + services + " - [0:0]",
		lost + " --protocol tcp --jump REJECT --reject-with tcp-reset",
		lost + " --jump REJECT",
		"COMMIT",
	}, "\n") + "\n"
}

func tell(ctx context.Context, input, program string, arguments ...string) error {
	limited, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	command := exec.CommandContext(limited, program, arguments...)
	command.Stdin = strings.NewReader(input)
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(said)))
	}
	return nil
}
