// What a card says about a model, in words. Pure.
import type { ListedModel, ListedSlot } from "@/shared/gateway/get-models.ts";
import { formatCount, formatMs } from "@/shared/lib/format.ts";
import type { TrustFile } from "@/shared/verify/trust-file.ts";

export type CardModel = Omit<ListedModel["teetee"], "name"> & { readonly name: string };

export function cardModel({ id, teetee }: ListedModel): CardModel {
  return { ...teetee, name: teetee.name ?? id };
}

// production and simulated are the trust file's words where it names the model; else the gateway's.
export type TrustView = "simulated" | "production" | "unlisted" | "no-trust";

export function trustView(model: CardModel, trust: TrustFile | null): TrustView {
  if (!trust) return "no-trust";
  if (![...trust.models.values()].some((id) => id === model.model)) return "unlisted";
  return trust.evidenceClass;
}

export function sizeWords(model: CardModel): string {
  const parts = [model.parameters ? `${formatCount(model.parameters)} parameters` : null, model.quantisation ?? null];
  return parts.filter(Boolean).join(", ") || "size not known";
}

export function slotsTaken(model: CardModel): { taken: number; all: number } {
  const all = model.slot_list.length;
  return { taken: model.slot_list.filter((slot) => slot.live > 0).length, all };
}

export function organisations(model: CardModel): number {
  return new Set(model.slot_list.flatMap((slot) => slot.hosts)).size;
}

export function slotWords(slot: ListedSlot): string {
  const blocks = slot.first_block !== null && slot.blocks !== null ? `layers ${slot.first_block} to ${slot.first_block + slot.blocks - 1}` : "layers not known";
  return `Slot ${slot.slot}: ${blocks}`;
}

export function speedWords(model: CardModel): { rate: string; first: string; samples: number } | null {
  const { speed } = model;
  if (!speed || speed.samples === 0) return null;
  return { rate: `${speed.tokens_per_second.toFixed(1)} tokens/s`, first: formatMs(speed.ttft_ms), samples: speed.samples };
}
