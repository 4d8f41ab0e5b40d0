// The SGX extension of a PCK certificate (1.2.840.113741.1.13.1): which machine, at which security version. No trust.
import { toHex } from "./bytes";
import { type DerItem, DerReader, readOid, readSmallInteger, readWhole, tag } from "./der";
import { Malformed } from "./refusal";

export const sgxExtensionOid = "2a864886f84d010d01";

export interface SgxExtension {
  /** identifies the processor package */
  readonly ppid: Uint8Array;
  /** .2.1 to .2.16 */
  readonly componentSvns: Uint8Array;
  readonly pceSvn: number;
  readonly pceId: Uint8Array;
  /** platform model */
  readonly fmspc: Uint8Array;
}

function bad(what: string): Malformed {
  return new Malformed(`SGX extension: ${what}`);
}

// SEQUENCE OF SEQUENCE { OID parent.arc, value }: each arc of 1..last once.
function readFields(list: DerReader, parent: string, last: number): Map<number, DerItem> {
  const out = new Map<number, DerItem>();
  while (!list.done) {
    const pair = list.enter(tag.sequence);
    const oid = readOid(pair);
    const value = pair.any();
    pair.expectDone("SGX extension field");
    if (oid.length !== parent.length + 2 || !oid.startsWith(parent)) throw bad("foreign OID");
    const arc = Number.parseInt(oid.slice(-2), 16);
    if (arc < 1 || arc > last || out.has(arc)) throw bad("bad field");
    out.set(arc, value);
  }
  return out;
}

function field(fields: ReadonlyMap<number, DerItem>, arc: number, expected: number): DerItem {
  const item = fields.get(arc);
  if (item === undefined) throw bad("field missing");
  if (item.tag !== expected) throw bad("field of another type");
  return item;
}

function octets(fields: ReadonlyMap<number, DerItem>, arc: number, size: number): Uint8Array {
  const { value } = field(fields, arc, tag.octetString);
  if (value.length !== size) throw bad("bad octet string");
  return value;
}

function integer(fields: ReadonlyMap<number, DerItem>, arc: number, max: number): number {
  return readSmallInteger(new DerReader(field(fields, arc, tag.integer).whole), max);
}

const tcbArc = 2;
const pceSvnArc = 17;
const cpuSvnArc = 18;

export function parseSgxExtension(der: Uint8Array): SgxExtension {
  const fields = readFields(readWhole(der, tag.sequence, "SGX extension"), sgxExtensionOid, 7);
  const tcbOid = sgxExtensionOid + toHex(Uint8Array.of(tcbArc));
  const tcb = readFields(new DerReader(field(fields, tcbArc, tag.sequence).value), tcbOid, cpuSvnArc);
  if (tcb.size !== cpuSvnArc) throw bad("TCB field missing");
  return {
    ppid: octets(fields, 1, 16),
    componentSvns: Uint8Array.from({ length: 16 }, (_, i) => integer(tcb, i + 1, 0xff)),
    pceSvn: integer(tcb, pceSvnArc, 0xffff),
    pceId: octets(fields, 3, 2),
    fmspc: octets(fields, 4, 6),
  };
}
