// docker-compose.yaml of one slot for one host: complete on its own (no build, no env file, no variable, no file beside it but the weights,
// whose hash is in the model id), image by digest. What it says is what is measured: docs/design/0008-pages.md, "Compose".

export type ComposeTarget = "dstack" | "bare";

export interface ComposeInput {
  readonly image: string; // name@sha256:...
  readonly target: ComposeTarget;
  readonly modelId: string;
  readonly modelName: string;
  readonly modelParams: string; // JSON text: preimage of the model id
  readonly trust: string; // text of the trust file
  readonly slot: number;
  readonly shardFile: string;
  readonly shardSha256: string;
  readonly host: string; // the wallet that is paid
  readonly rpc: string;
  readonly advertise: string; // host:port under which other nodes reach the channel; '' if not known yet
  readonly kvMegabytes: number;
}

const IMAGE = /^[a-z0-9][a-z0-9._\-/:]{0,200}@sha256:[0-9a-f]{64}$/;
const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const ENDPOINT = /^[A-Za-z0-9.\-[\]:]{1,260}:[0-9]{1,5}$/;

export function isPinnedImage(image: string | null): image is string {
  return image !== null && IMAGE.test(image);
}

// The reason why no file can be made of these values, or null.
export function composeProblem(input: ComposeInput): string | null {
  if (!isPinnedImage(input.image))
    return "The image is not named by its digest (name@sha256:…), so nothing would be measured.";
  if (!ADDRESS.test(input.host)) return "The host is not a wallet address.";
  if (!FILE.test(input.shardFile)) return "The manifest names no plain file for this slot.";
  if (!/^https?:\/\/[^\s"$]{1,400}$/.test(input.rpc))
    return "The address of the chain (RPC) must begin with http:// or https://.";
  if (input.advertise !== "" && !ENDPOINT.test(input.advertise))
    return "The public address must look like node.example.org:9200.";
  return null;
}

export function composeYaml(input: ComposeInput): string {
  const problem = composeProblem(input);
  if (problem) throw new Error(problem);
  const lines = [
    ...headComment(input),
    "services:",
    "  node:",
    `    image: ${quote(input.image)}`,
    "    restart: unless-stopped",
    "    command:",
    ...nodeArguments(input).map((argument) => `      - ${quote(argument)}`),
    "    ports:",
    `      - ${quote("9100:9100")} # HTTP: what passes is sealed or public`,
    `      - ${quote("9200:9200")} # attested channels between nodes`,
    "    volumes:",
    `      - ${quote("state:/state")} # signing key, sealed by the encrypted disk of the TEE; proofs, outbox`,
    `      - ${quote("model:/model:ro")} # manifest.json and ${input.shardFile}; the node refuses any other bytes`,
    `      - ${quote(deviceOf(input.target))}`,
    "    configs:",
    "      - source: model-params",
    "        target: /etc/teetee/model-params.json",
    "      - source: trust",
    "        target: /etc/teetee/trust.json",
    "    security_opt:",
    `      - ${quote("no-new-privileges:true")}`,
    "    read_only: true",
    "    tmpfs:",
    `      - ${quote("/tmp")}`,
    "configs:",
    ...config("model-params", input.modelParams),
    ...config("trust", input.trust),
    "volumes:",
    "  state: {}",
    "  model: {}",
  ];
  return `${lines.join("\n")}\n`;
}

function headComment(input: ComposeInput): string[] {
  return [
    `# TeeTee: slot ${input.slot} of ${plain(input.modelName)}, paid to ${input.host}`,
    `# model   ${plain(input.modelId)}`,
    `# weights ${input.shardFile}, SHA-256 ${plain(input.shardSha256)}`,
  ];
}

function nodeArguments(input: ComposeInput): string[] {
  const list = [
    ["--shard", `/model/${input.shardFile}`],
    ["--manifest", "/model/manifest.json"],
    ["--model-params", "/etc/teetee/model-params.json"],
    ["--trust", "/etc/teetee/trust.json"],
    ["--state", "/state"],
    ["--host", input.host],
    ["--listen", "0.0.0.0:9100"],
    ["--channel", "0.0.0.0:9200"],
    ...(input.advertise === "" ? [] : [["--advertise-channel", input.advertise]]),
    ["--rpc", input.rpc],
    ["--kv-megabytes", String(input.kvMegabytes)],
  ];
  return list.flat().map(escapeDollar);
}

function deviceOf(target: ComposeTarget): string {
  return target === "dstack"
    ? "/var/run/dstack.sock:/var/run/dstack.sock"
    : "/sys/kernel/config/tsm/report:/sys/kernel/config/tsm/report";
}

// A block scalar holds the text as it is; Compose would replace $NAME, so each $ is doubled.
function config(name: string, text: string): string[] {
  const body = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n");
  return [`  ${name}:`, "    content: |2", ...body.map((line) => `      ${escapeDollar(line)}`)];
}

function escapeDollar(text: string): string {
  return text.replaceAll("$", "$$$$");
}

// JSON's strings are YAML's double-quoted ones.
function quote(text: string): string {
  return JSON.stringify(text);
}

// Foreign text inside a comment stays on its line.
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 120);
}
