// How to bring up a node, step by step, per kind of machine. Words and commands only; nothing here is a promise of the page.
import type { ComposeTarget } from "./compose";

export type Machine = "phala" | "tdx" | "snp" | "local";

export interface Step {
  readonly title: string;
  readonly text: string;
  readonly command?: string;
}

export interface Guide {
  readonly machine: Machine;
  readonly title: string;
  readonly target: ComposeTarget;
  readonly notYet: string | null;
  readonly steps: readonly Step[];
}

export interface GuideFacts {
  readonly slot: number;
  readonly shardFile: string;
  readonly shardSha256: string;
  readonly composeHash: string | null;
  readonly memory: string; // "4 GiB"
}

export function guideFor(machine: Machine, facts: GuideFacts): Guide {
  switch (machine) {
    case "phala":
      return {
        machine,
        title: "Phala Cloud (dstack)",
        target: "dstack",
        notYet: REAL_EVIDENCE,
        steps: phala(facts),
      };
    case "tdx":
      return {
        machine,
        title: "Your own Intel TDX machine",
        target: "bare",
        notYet: REAL_EVIDENCE,
        steps: bare(facts, "TDX", "tdx_guest"),
      };
    case "snp":
      return {
        machine,
        title: "Your own AMD SEV-SNP machine",
        target: "bare",
        notYet: SNP,
        steps: bare(facts, "SEV-SNP", "sev_guest"),
      };
    case "local":
      return {
        machine,
        title: "This machine (simulated)",
        target: "dstack",
        notYet: null,
        steps: local(facts),
      };
  }
}

const REAL_EVIDENCE =
  "this release of the node makes simulated evidence only. The file below is what a real machine will run; until then no real machine can join with it.";
const SNP = "quotes of AMD SEV-SNP are neither made by the node nor checked by this page.";

function phala(facts: GuideFacts): Step[] {
  return [
    {
      title: "Create a CVM",
      text: `In Phala Cloud choose "Deploy", then "docker-compose.yaml"; take at least ${facts.memory} of memory and one core per 100 MB of weights.`,
    },
    {
      title: "Paste the file",
      text: "Paste docker-compose.yaml as it stands. Add nothing: every changed byte changes what is measured.",
    },
    {
      title: "Compare the compose hash",
      text: facts.composeHash
        ? "After deployment the dashboard shows the compose hash. It must be the one below; if the cloud wraps the file in other settings it differs, and the check says so."
        : "The compose hash appears here once the file can be made.",
      ...(facts.composeHash ? { command: facts.composeHash } : {}),
    },
    weights(facts),
    {
      title: "Copy the URL",
      text: "Take the public URL of port 9100 (it ends in -9100 and the name of the cluster) and paste it below.",
    },
  ];
}

function bare(facts: GuideFacts, kind: string, provider: string): Step[] {
  return [
    {
      title: "Check the guest",
      text: `Inside the ${kind} guest, Linux 6.7 or newer with configfs-tsm must answer "${provider}".`,
      command:
        "mkdir /sys/kernel/config/tsm/report/probe && cat /sys/kernel/config/tsm/report/probe/provider; rmdir /sys/kernel/config/tsm/report/probe",
    },
    {
      title: "Memory",
      text: `Give the guest at least ${facts.memory}; weights and KV cache stay in encrypted memory.`,
    },
    weights(facts),
    {
      title: "Start",
      text: "Put docker-compose.yaml into an empty folder and start it. Ports 9100 and 9200 must be reachable from outside.",
      command: "docker compose up -d && docker compose logs -f node",
    },
    { title: "Copy the URL", text: "Paste http://NAME:9100 below." },
  ];
}

function weights(facts: GuideFacts): Step {
  return {
    title: "Bring the weights",
    text: `The volume "model" holds manifest.json and ${facts.shardFile}. The node hashes every tensor before it answers and refuses any other file.`,
    command: `sha256sum ${facts.shardFile}   # ${facts.shardSha256}`,
  };
}

function local(facts: GuideFacts): Step[] {
  const compose = facts.composeHash ? " --compose app-compose.json" : "";
  return [
    {
      title: "Start a node",
      text: "In the folder where ./dev up runs. The evidence is simulated and signed by this machine itself: it protects nothing.",
      command: `build/bin/teetee host up --slot ${facts.slot}${compose}`,
    },
    { title: "Copy the URL", text: "The command prints the URL of the node. Paste it below." },
  ];
}
