package main

import (
	"context"
	"time"

	nfqueue "github.com/florianl/go-nfqueue/v2"
	"github.com/mdlayher/netlink"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/network"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

const (
	queueNumber = 100
	// The headers are enough to tell who wants to speak to whom.
	packetBytes   = 128
	waitingLimit  = 4096
	answerTimeout = 100 * time.Millisecond
)

// answerQueue decides on the first packet of every connection that the rules bring here.
func answerQueue(ctx context.Context, engine *networkpolicy.PolicyEngine) (func(), error) {
	queue, err := nfqueue.Open(&nfqueue.Config{
		NfQueue:      queueNumber,
		Flags:        nfqueue.NfQaCfgFlagGSO | nfqueue.NfQaCfgFlagFailOpen,
		MaxPacketLen: packetBytes,
		MaxQueueLen:  waitingLimit,
		Copymode:     nfqueue.NfQnlCopyPacket,
		WriteTimeout: answerTimeout,
	})
	if err != nil {
		return nil, err
	}
	answer := func(attribute nfqueue.Attribute) int {
		if err := queue.SetVerdict(*attribute.PacketID, decide(ctx, engine, attribute)); err != nil {
			klog.ErrorS(err, "an answer was lost")
		}
		return 0
	}
	err = queue.RegisterWithErrorFunc(ctx, answer, func(err error) int {
		if failure, ok := err.(*netlink.OpError); !ok || !(failure.Timeout() || failure.Temporary()) {
			klog.ErrorS(err, "a question was lost")
		}
		return 0
	})
	if err != nil {
		_ = queue.Close()
		return nil, err
	}
	return func() { _ = queue.Close() }, nil
}

func decide(ctx context.Context, engine *networkpolicy.PolicyEngine, attribute nfqueue.Attribute) int {
	packet, err := network.ParsePacket(*attribute.Payload)
	if err != nil {
		klog.ErrorS(err, "a packet that cannot be read is refused")
		return nfqueue.NfDrop
	}
	packet.ID = *attribute.PacketID
	allowed, err := engine.EvaluatePacket(ctx, &packet)
	if err != nil || !allowed {
		klog.InfoS("refused", "from", packet.SrcIP, "to", packet.DstIP, "port", packet.DstPort, "protocol", packet.Proto, "failure", err)
		return nfqueue.NfDrop
	}
	return nfqueue.NfAccept
}
