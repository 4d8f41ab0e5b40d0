// What a machine needs to serve one slot: memory for weights and KV cache, and the kind of TEE. From the manifest, whose hash the model id fixes.

export interface SlotShape {
  readonly weightBytes: number;
  readonly blocks: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly contextLength: number;
  readonly hiddenDim: number;
}

export interface SlotNeeds {
  readonly weightBytes: number;
  readonly kvBytesPerPosition: number;
  readonly positions: number;
  readonly kvBytes: number;
  readonly totalBytes: number;
  readonly recommendedBytes: number;
  readonly networkBytesPerToken: number;
}

const KV_ELEMENT_BYTES = 2; // f16, for keys and for values
const RESERVED_BYTES = 512 * 2 ** 20; // operating system, buffers, tokenizer, quotes
const PAGE_POSITIONS = 64;

// The same reserve that teetee-node takes with --kv-megabytes; bounded so that a small model does not ask for a large machine.
export function kvMegabytesFor(shape: SlotShape, sequences = 16): number {
  const positions = Math.ceil(Math.min(shape.contextLength, 4096) / PAGE_POSITIONS) * PAGE_POSITIONS;
  const bytes = kvBytesPerPosition(shape) * positions * sequences;
  return Math.max(64, Math.ceil(bytes / 2 ** 20));
}

export function kvBytesPerPosition(shape: SlotShape): number {
  return shape.blocks * shape.kvHeads * shape.headDim * 2 * KV_ELEMENT_BYTES;
}

export function slotNeeds(shape: SlotShape): SlotNeeds {
  const kvBytes = kvMegabytesFor(shape) * 2 ** 20;
  const perPosition = kvBytesPerPosition(shape);
  const totalBytes = shape.weightBytes + kvBytes + RESERVED_BYTES;
  return {
    weightBytes: shape.weightBytes,
    kvBytesPerPosition: perPosition,
    positions: perPosition > 0 ? Math.floor(kvBytes / perPosition) : 0,
    kvBytes,
    totalBytes,
    recommendedBytes: nextMemorySize(totalBytes),
    networkBytesPerToken: shape.hiddenDim * 4,
  };
}

// Machines are rented in 2, 4, 8, 16 ... GiB.
function nextMemorySize(bytes: number): number {
  let size = 2 * 2 ** 30;
  while (size < bytes) size *= 2;
  return size;
}

interface ManifestLike {
  readonly config: Readonly<Record<string, string>>;
  readonly tensors: readonly { readonly name: string; readonly bytes: number }[];
  readonly slots: readonly { readonly block_count: number; readonly tensors: readonly string[] }[];
}

export function shapeOfSlot(manifest: ManifestLike, slot: number): SlotShape | null {
  const entry = manifest.slots[slot];
  if (!entry) return null;
  const sizes = new Map(manifest.tensors.map((t) => [t.name, t.bytes]));
  const weightBytes = entry.tensors.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const number = (key: string) => Number(manifest.config[key] ?? 0);
  return {
    weightBytes,
    blocks: entry.block_count,
    kvHeads: number("n_kv_heads"),
    headDim: number("head_dim"),
    contextLength: number("context_length"),
    hiddenDim: number("hidden_dim"),
  };
}
