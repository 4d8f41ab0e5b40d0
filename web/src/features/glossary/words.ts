// The words that these pages use in a sense of their own, each in a sentence or two that a newcomer can read.
export interface Word {
  readonly name: string;
  readonly means: string;
  readonly also?: readonly string[];
}

export const WORDS: readonly Word[] = [
  { name: "answer badge", means: "The line under an answer that says what was checked: the receipt's signatures, its cost, its tokens, and its place on chain once it is mined.", also: ["receipt"] },
  { name: "attestation", means: "A machine's proof of what it runs: evidence signed by the processor, checked against the vendor's root and a list of accepted releases.", also: ["evidence", "quote", "measurement"] },
  { name: "auditor", means: "A party that checks a node's evidence and signs an approval, which the registry then accepts. A model names its auditors; its users trust them for admission and nothing else." },
  { name: "batch", means: "Many charges and receipts settled in one transaction. Its Merkle root on chain is what a receipt is proved against.", also: ["receipt", "settlement"] },
  { name: "collateral", means: "What a quote is checked with: the vendor's certificates, revocation lists and levels of firmware. It has dates and goes stale." },
  { name: "compose hash", means: "SHA-256 of the very file from which a node was started. Hardware measures it, so a changed file is another hash." },
  { name: "credits", means: "ETH that you set aside in the Ledger contract to pay for answers. What is not used can be withdrawn.", also: ["ledger", "tab"] },
  { name: "demo wallet", means: "A wallet for the development chain whose keys lie open on this machine. Its money is worth nothing." },
  { name: "evidence", means: "What a node shows about itself: a quote and the claims that the quote binds.", also: ["quote", "claims"] },
  { name: "claims", means: "The list of facts that a node signs up to: its keys, model, slot, weights, chain, host and a recent block. The quote contains their hash.", also: ["evidence"] },
  { name: "gateway", means: "The public front that relays sealed requests and lists nodes. It can refuse to serve; it cannot read or change what you send." },
  { name: "head", means: "The node of slot 0. It opens the sealed request, counts tokens, and signs the receipt.", also: ["slot", "node", "receipt"] },
  { name: "host", means: "The organisation, named by its wallet, that runs a node and is paid for it." },
  { name: "known-answer test", means: "A fixed input whose exact output stands in the manifest. A node that computes it bit for bit has the right weights and a sound machine." },
  { name: "lease", means: "How long the registry admits a node. It ends by itself; the host renews it with fresh evidence." },
  { name: "ledger", means: "The contract that holds all the money: credits, tabs and earnings. It has no owner and cannot be changed.", also: ["credits"] },
  { name: "line", means: "One model together with one head. Tabs, batches and earnings belong to a line.", also: ["head", "tab"] },
  { name: "manifest", means: "The facts of a model that everyone agrees on: settings, the hash of every tensor, the cut into slots, known answers. Its hash is part of the model's id." },
  { name: "measurement", means: "The hash of what a TEE was started with. Your trust file lists those that you accept.", also: ["trust file"] },
  { name: "model id", means: "The hash of all of a model's parameters, prices included. So nothing about a model can ever change; a new price is a new id." },
  { name: "node", means: "One TEE that serves one slot of a model, named by the address of its signing key.", also: ["slot", "TEE"] },
  { name: "plan", means: "For one request: the very nodes that may serve each slot. You choose it among nodes that this browser verified; no other node is used.", also: ["route"] },
  { name: "pool", means: "The people and machines behind a model on chain." },
  { name: "quote", means: "The part of the evidence that the processor itself signs.", also: ["evidence"] },
  { name: "receipt", means: "The head's signed statement about one answer: which input gave which output under which settings, at what cost, computed by which nodes. It does not prove that the answer is true or good.", also: ["batch"] },
  { name: "registry", means: "The contract that knows which models exist and which nodes are admitted to which slot." },
  { name: "replica", means: "Another node that serves the same slot, so that the model stays up when one fails." },
  { name: "route", means: "The nodes that an answer goes through, one for each slot, in order.", also: ["plan"] },
  { name: "RPC", means: "The address through which a wallet or page reads the chain and sends transactions." },
  { name: "sealed request", means: "A question encrypted in this browser so that only the verified head can open it.", also: ["head"] },
  { name: "session key", means: "A key made in this browser that signs vouchers within the limit of a tab, so that your wallet need not sign each answer.", also: ["tab", "voucher"] },
  { name: "settlement", means: "The transaction by which an answer's cost goes from the user to the hosts.", also: ["batch"] },
  { name: "shard", means: "A contiguous range of a model's layers with its weights." },
  { name: "simulated", means: "Evidence in the layout of the real thing, signed by a root that this machine made for itself. It protects nothing and is for development only." },
  { name: "slot", means: "A shard's place in a model on chain. Any number of nodes may serve it.", also: ["shard", "replica"] },
  { name: "strict query", means: "A question that your own transaction pays for on chain before it is answered. If it is not answered in time, you get the money back.", also: ["tab"] },
  { name: "tab", means: "Prepaid credit with one line. You fund it once; each answer is then paid by a voucher. You can close it at any time.", also: ["line", "voucher", "session key"] },
  { name: "TCB level", means: "How current a machine's firmware and microcode are, by the vendor's own list." },
  { name: "TEE", means: "Trusted execution environment: a part of a processor whose memory the machine's owner cannot read, and that can prove what it runs. Physical attacks on it are known; see the threat model." },
  { name: "token", means: "A piece of a word. Prices are per token: those of your prompt and those of the answer." },
  { name: "trust file", means: "Your own list of what you accept: vendor roots, releases, contracts and models. It is never taken from a gateway.", also: ["measurement"] },
  { name: "voucher", means: "Your signed promise to pay at most a total on a line. Each answer raises it by little; nobody can charge more than it says.", also: ["tab"] },
];

export function anchorOf(name: string): string {
  return name.replaceAll(" ", "-");
}

// Words whose name or meaning holds the text.
export function findWords(text: string, words: readonly Word[] = WORDS): readonly Word[] {
  const wanted = text.trim().toLowerCase();
  return words.filter(({ name, means }) => name.toLowerCase().includes(wanted) || means.toLowerCase().includes(wanted));
}
