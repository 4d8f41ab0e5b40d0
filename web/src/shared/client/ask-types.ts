// What is asked, how it is paid for, and what comes of it.
import type { SealedPath } from "../seal/sealed";
import type { Address, Hash, Wei } from "../verify/bytes";
import type { ReceiptDocument } from "../verify/receipt";
import type { CompactSignature, PrivateKey } from "../verify/secp256k1";
import type { Query } from "../verify/typed-data";
import type { Bundle } from "./bundle";
import type { ChainWriter, Contracts } from "./chain";
import type { CheckList } from "./check-list";
import type { ClientError } from "./client-error";
import type { Route } from "./route";
import type { Funding, Tabs } from "./tabs";

export type PayWith =
  | {
      readonly kind: "tab";
      readonly tabs: Tabs;
      /** for topping up; without it, or when `confirm` says no, an empty tab is an error */
      readonly writer?: ChainWriter;
      readonly confirm?: (funding: Funding) => Promise<boolean>;
    }
  | { readonly kind: "strict"; readonly contracts: Contracts; readonly writer: ChainWriter }
  | {
      readonly kind: "free";
      readonly host: Address;
      readonly session: PrivateKey;
      /** Unix seconds */
      readonly expires: bigint;
      readonly access: CompactSignature;
    };

export interface AskRequest {
  readonly path: Exclude<SealedPath, "/teetee/release">;
  /** the OpenAI request as its bytes stand; it names the model by the trust file's name or by id */
  readonly body: string;
  readonly pay: PayWith;
}

export interface Answer {
  /** by choice */
  readonly texts: readonly string[];
  readonly cost: Wei;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly cancelled: boolean;
  /** the whole answer when it was not streamed */
  readonly body: unknown;
  readonly bundle: Bundle;
  /** the file for `teetee verify` */
  readonly bundleText: string;
}

export type AskEvent =
  | { readonly t: "route"; readonly route: Route }
  | { readonly t: "funding"; readonly funding: Funding }
  /** a strict query stands open on chain: keep it, it can be refunded after its deadline */
  | { readonly t: "query"; readonly query: Query; readonly id: Hash }
  /** keep it until done or error: resumeAsk goes on from it after a reload */
  | { readonly t: "sent"; readonly request: string; readonly pending: string }
  | { readonly t: "chunk"; readonly data: unknown }
  | { readonly t: "text"; readonly choice: number; readonly text: string }
  | { readonly t: "usage"; readonly tokensIn: number; readonly tokensOut: number }
  | { readonly t: "again"; readonly why: string }
  | { readonly t: "receipt"; readonly document: ReceiptDocument; readonly checks: CheckList }
  | { readonly t: "done"; readonly answer: Answer }
  /** `resumable`: resumeAsk may be tried with what was kept */
  | {
      readonly t: "error";
      readonly error: ClientError;
      readonly resumable: boolean;
      readonly checks?: CheckList;
      /** of an answer whose receipt does not verify: what the head signed */
      readonly bundleText?: string;
    };

export interface AskHandle {
  readonly events: AsyncGenerator<AskEvent>;
  /** Stops the answer; the events go on to the receipt of what was delivered. Before anything was sent: it is not sent. */
  readonly cancel: () => Promise<void>;
}

export interface AskOptions {
  readonly now?: () => number;
  readonly pauses?: readonly number[];
}
