// The file for this slot and wallet, its hash, and how to start it on each kind of machine.
import { Download } from "lucide-react";
import { useState } from "react";
import { saveFile } from "@/shared/lib/save-file.ts";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { CodeBlock } from "@/shared/ui/code-block.tsx";
import { TextField } from "@/shared/ui/field.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { NotYet } from "@/shared/ui/states.tsx";
import { Tabs } from "@/shared/ui/tabs.tsx";
import type { AppCompose } from "../lib/app-compose.ts";
import { type Guide, guideFor, type Machine } from "../lib/instructions.ts";
import styles from "./deploy-panel.module.css";

export interface MadeFiles {
  readonly yaml: string;
  readonly app: AppCompose;
}

export interface DeployPanelProps {
  slot: number;
  shardFile: string;
  shardSha256: string;
  memory: string;
  image: string | null;
  // null and a reason: no file can be made
  files: MadeFiles | null;
  problem: string | null;
  rpc: string;
  advertise: string;
  onRpc: (rpc: string) => void;
  onAdvertise: (address: string) => void;
  machine: Machine;
  onMachine: (machine: Machine) => void;
  // The file leaves the page: its hash is what a node will be compared with.
  onTaken: (hash: string) => void;
  simulated: boolean;
}

const MACHINES: readonly { id: Machine; title: string }[] = [
  { id: "phala", title: "Phala Cloud" },
  { id: "tdx", title: "Own TDX machine" },
  { id: "snp", title: "Own SEV-SNP machine" },
];

export function DeployPanel(props: DeployPanelProps) {
  const machines = props.simulated
    ? [{ id: "local" as const, title: "This machine (simulated)" }, ...MACHINES]
    : MACHINES;
  return (
    <Card title="2. Start a node">
      {props.image !== null && <Fields {...props} />}
      <ComposeFiles {...props} />
      <Tabs
        label="Kind of machine"
        value={props.machine}
        onChange={(id) => props.onMachine(id as Machine)}
        items={machines.map(({ id, title }) => ({
          id,
          title,
          content: <GuideSteps guide={guideOf(id, props)} />,
        }))}
      />
    </Card>
  );
}

// What the file says beside slot, wallet and model.
function Fields(props: DeployPanelProps) {
  return (
    <div className={styles.fields}>
      <TextField
        label="Chain (RPC) that the node asks"
        hint={
          isLoopback(props.rpc)
            ? "An address of this machine alone: a node elsewhere cannot reach it."
            : "The node reads leases and credit there; it sends nothing."
        }
        value={props.rpc}
        onChange={(event) => props.onRpc(event.target.value)}
        spellCheck={false}
        inputMode="url"
      />
      <TextField
        label="Public address of its channel"
        hint="Where other nodes dial yours, such as node.example.org:9200. May stay empty on this machine."
        value={props.advertise}
        placeholder="node.example.org:9200"
        onChange={(event) => props.onAdvertise(event.target.value)}
        spellCheck={false}
      />
    </div>
  );
}

function guideOf(machine: Machine, props: DeployPanelProps): Guide {
  const { slot, shardFile, shardSha256, memory } = props;
  return guideFor(machine, {
    slot,
    shardFile,
    shardSha256,
    memory,
    composeHash: props.files?.app.hash ?? null,
  });
}

function ComposeFiles(props: DeployPanelProps) {
  const [shown, setShown] = useState<"yaml" | "app">("yaml");
  if (props.image === null) {
    return (
      <NotYet>
        there is no released image that this page could name by its digest, so it makes no
        docker-compose.yaml. On this machine a node starts without one; its compose hash is then not measured.
      </NotYet>
    );
  }
  if (!props.files)
    return (
      <p role="alert" className={styles.problem}>
        {props.problem}
      </p>
    );
  const { yaml, app } = props.files;
  const take = (name: string, text: string) => {
    props.onTaken(app.hash);
    saveFile(name, text);
  };
  return (
    <div className={styles.files}>
      <p className={styles.hash}>
        <span>Compose hash</span>
        <Hash value={app.hash} label="compose hash" whole />
        <span className={styles.hint}>
          SHA-256 of app-compose.json, byte for byte. The node’s quote must show it.
        </span>
      </p>
      <div className={styles.buttons}>
        <Button
          kind="primary"
          icon={<Download aria-hidden />}
          onClick={() => take("docker-compose.yaml", yaml)}
        >
          Download docker-compose.yaml
        </Button>
        <Button icon={<Download aria-hidden />} onClick={() => take("app-compose.json", app.text)}>
          Download app-compose.json
        </Button>
        <Button
          kind="quiet"
          aria-pressed={shown === "app"}
          onClick={() => setShown(shown === "yaml" ? "app" : "yaml")}
        >
          {shown === "yaml" ? "Show app-compose.json" : "Show docker-compose.yaml"}
        </Button>
      </div>
      {shown === "yaml" ? (
        <CodeBlock label="docker-compose.yaml" code={yaml} />
      ) : (
        <CodeBlock label="app-compose.json" code={app.text} />
      )}
    </div>
  );
}

function GuideSteps({ guide }: { guide: Guide }) {
  return (
    <div className={styles.guide}>
      {guide.notYet && <NotYet>{guide.notYet}</NotYet>}
      <ol className={styles.steps}>
        {guide.steps.map((step) => (
          <li key={step.title}>
            <strong>{step.title}</strong>
            <p>{step.text}</p>
            {step.command && <CodeBlock label={step.title} code={step.command} />}
          </li>
        ))}
      </ol>
    </div>
  );
}

export function isLoopback(url: string): boolean {
  return /^https?:\/\/(127\.|localhost|\[::1\])/.test(url);
}
