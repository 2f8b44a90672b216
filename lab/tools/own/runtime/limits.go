package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Raising a resource limit and lowering the out-of-memory score both need this one.
const resourceCapability = "CAP_SYS_RESOURCE"

// In the order of the kernel's numbers.
var capabilities = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID
	CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK
	CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT
	CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL
	CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON
	CAP_BPF CAP_CHECKPOINT_RESTORE`)

// What this process may hand on to a container.
type limits struct {
	bounding uint64
	oomScore int64
}

// A capability whose number is not known here is left to runc, which refuses it or not.
func (l limits) has(name string) bool {
	number := slices.Index(capabilities, name)
	return number < 0 || l.bounding&(1<<number) != 0
}

func readLimits(folder string) (limits, error) {
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return limits{}, err
	}
	score, err := os.ReadFile(filepath.Join(folder, "oom_score_adj"))
	if err != nil {
		return limits{}, err
	}
	_, rest, found := strings.Cut(string(status), "CapBnd:")
	if !found {
		return limits{}, fmt.Errorf("no CapBnd line in the status of this process")
	}
	bounding, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
	if err != nil {
		return limits{}, err
	}
	oomScore, err := strconv.ParseInt(strings.TrimSpace(string(score)), 10, 64)
	return limits{bounding: bounding, oomScore: oomScore}, err
}
