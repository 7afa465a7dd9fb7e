package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func nodeNamed(t *testing.T, name, podRange, address string) node {
	t.Helper()
	var n node
	text := `{"metadata":{"name":"` + name + `"},"spec":{"podCIDRs":["` + podRange + `"]},
		"status":{"addresses":[{"type":"Hostname","address":"` + name + `"},{"type":"InternalIP","address":"` + address + `"}]}}`
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func threeNodes(t *testing.T) map[string]node {
	return map[string]node{
		"a": nodeNamed(t, "a", "10.244.0.0/24", "172.18.0.2"),
		"b": nodeNamed(t, "b", "10.244.2.0/24", "172.18.0.4"),
		"c": nodeNamed(t, "c", "10.244.1.0/24", "172.18.0.3"),
	}
}

func TestPlanRoutesToEveryOtherNode(t *testing.T) {
	got, ok := plan("a", threeNodes(t))
	if !ok || len(got.own) != 1 || got.own[0].String() != "10.244.0.0/24" {
		t.Fatalf("own = %v, %v", got.own, ok)
	}
	if len(got.routes) != 2 || got.routes[0].to.String() != "10.244.1.0/24" || got.routes[0].via.String() != "172.18.0.3" {
		t.Fatalf("routes = %v", got.routes)
	}
}

func TestPlanWaitsForTheNodesOwnRange(t *testing.T) {
	nodes := threeNodes(t)
	delete(nodes, "a")
	if _, ok := plan("a", nodes); ok {
		t.Fatal("a node without a range has a network")
	}
}

func TestMasqueradeSparesThePodsOfEveryNode(t *testing.T) {
	n, _ := plan("a", threeNodes(t))
	rules := n.masquerade(true)
	for _, prefix := range []string{"10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "224.0.0.0/4"} {
		if !strings.Contains(rules, "-A POD-MASQUERADE -d "+prefix+" -j RETURN\n") {
			t.Errorf("%s is masqueraded:\n%s", prefix, rules)
		}
	}
	if !strings.HasSuffix(rules, "-A POD-MASQUERADE -j MASQUERADE\nCOMMIT\n") {
		t.Errorf("nothing is masqueraded:\n%s", rules)
	}
}

func TestCniConfigGivesTheNodesOwnRange(t *testing.T) {
	n, _ := plan("c", threeNodes(t))
	text, err := n.cniConfig(1450)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"subnet": "10.244.1.0/24"`, `"dst": "0.0.0.0/0"`, `"mtu": 1450`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestServerOfReadsAKubeconfig(t *testing.T) {
	got := serverOf("clusters:\n- cluster:\n    certificate-authority-data: eHg=\n    server: https://x-control-plane:6443\n  name: x\n")
	if got != "https://x-control-plane:6443" {
		t.Fatalf("server = %q", got)
	}
}
