// Who signed the known answers: keccak256("teetee known answer v1" || nonce || canonical JSON of kats), compact signature r || vs.
import {
  type Address,
  compactSignatureToSignature,
  concat,
  hexToBytes,
  keccak256,
  parseCompactSignature,
  recoverAddress,
  toBytes,
} from "viem";
import { canonicalKats, type KnownAnswerReply } from "./known-answer.ts";

const LABEL = "teetee known answer v1";

export function recoverKnownAnswerSigner(nonce: string, reply: KnownAnswerReply): Promise<Address> {
  const bytes = concat([toBytes(LABEL), hexToBytes(`0x${nonce}`), toBytes(canonicalKats(reply.kats))]);
  const signature = compactSignatureToSignature(parseCompactSignature(`0x${reply.signature}`));
  return recoverAddress({ hash: keccak256(bytes), signature });
}
