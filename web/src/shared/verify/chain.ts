// Certificates and CRLs of a quote: steps 2 to 5 of docs/formats/evidence.md section 4.2. Throws Refused.

import { utf8 } from "./bytes";
import type { CheckId } from "./checks";
import type { Collateral, SignedDocument } from "./collateral";
import { verifyP256 } from "./p256";
import { Malformed, Refused } from "./refusal";
import { type Certificate, type Crl, checkSignedBy, parsePemChain, type Validity } from "./x509";

/** The time during which every part that was looked at is current. */
export class WindowMeter {
  private notBefore = Number.NEGATIVE_INFINITY;
  private notAfter = Number.POSITIVE_INFINITY;

  /** both ends count */
  addDocument(dates: Validity): void {
    this.notBefore = Math.max(this.notBefore, dates.notBefore);
    this.notAfter = Math.min(this.notAfter, dates.notAfter);
  }
  /** its expiry counts */
  addCertificate(certificate: Certificate): void {
    this.notAfter = Math.min(this.notAfter, certificate.validity.notAfter);
  }
  get window(): Validity {
    return { notBefore: this.notBefore, notAfter: this.notAfter };
  }
}

export interface PckChain {
  readonly leaf: Certificate;
  readonly ca: Certificate;
  readonly root: Certificate;
}

export interface ChainContext {
  /** accepted, hex of SHA-256 over the SubjectPublicKeyInfo */
  readonly roots: readonly string[];
  /** Unix seconds */
  readonly now: number;
  readonly window: WindowMeter;
}

// Names are matched by their end: Intel's begin with "Intel ", simulated ones say so. What counts is the pinned root;
// names keep one leaf of that root (a PCK) from standing in for another (a TCB signer).
function hasName(certificate: Certificate, ...names: readonly string[]): boolean {
  return names.some((name) => certificate.subjectName.endsWith(name));
}

function checkIsCa(certificate: Certificate, below: number, check: CheckId): void {
  const usage = certificate.keyUsage;
  if (!certificate.isCa || !usage?.certSign || !usage.crlSign) throw new Refused(check, "an issuer is no CA");
  if (certificate.pathLength !== undefined && certificate.pathLength < below) {
    throw new Refused(check, "a path length is too short");
  }
}

function checkIsLeaf(certificate: Certificate, check: CheckId): void {
  const usage = certificate.keyUsage;
  if (certificate.isCa || !usage?.digitalSignature || usage.certSign) {
    throw new Refused(check, "the end certificate is a CA or may not sign");
  }
}

async function named<T>(check: CheckId, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Malformed) throw new Refused(check, error.message);
    throw error;
  }
}

function readPckChain(pem: string): PckChain {
  const [leaf, ca, root] = parsePemChain(pem, 3);
  if (leaf === undefined || ca === undefined || root === undefined)
    throw new Malformed("not three certificates");
  return { leaf, ca, root };
}

function checkPckNames({ leaf, ca }: PckChain): void {
  if (!hasName(leaf, "SGX PCK Certificate")) {
    throw new Refused("pck.chain", "the end certificate is not named as a PCK certificate");
  }
  if (!hasName(ca, "SGX PCK Platform CA", "SGX PCK Processor CA")) {
    throw new Refused("pck.chain", "the issuer is not named as a PCK CA");
  }
}

async function checkPckLinks({ leaf, ca, root }: PckChain): Promise<void> {
  const check = "pck.chain";
  checkIsLeaf(leaf, check);
  checkIsCa(ca, 0, check);
  checkIsCa(root, 1, check);
  await named(check, checkSignedBy(leaf, ca, "certificate"));
  await named(check, checkSignedBy(ca, root, "certificate"));
  await named(check, checkSignedBy(root, root, "certificate"));
}

function checkValid(certificate: Certificate, context: ChainContext, check: CheckId): void {
  if (context.now < certificate.validity.notBefore)
    throw new Refused(check, "a certificate is not valid yet");
  if (context.now > certificate.validity.notAfter) throw new Refused(check, "a certificate has expired");
  context.window.addCertificate(certificate);
}

/** Step 2: names, roles, links, signatures, pinned root, dates. */
export async function checkPckChain(pem: string, context: ChainContext): Promise<PckChain> {
  const chain = await named(
    "pck.chain",
    Promise.resolve().then(() => readPckChain(pem)),
  );
  checkPckNames(chain);
  await checkPckLinks(chain);
  if (!context.roots.includes(chain.root.spkiHash)) {
    throw new Refused("pck.root", "the chain ends in a root that is not trusted");
  }
  for (const certificate of [chain.leaf, chain.ca, chain.root])
    checkValid(certificate, context, "pck.validity");
  return chain;
}

async function checkCrl(crl: Crl, issuer: Certificate, context: ChainContext, check: CheckId): Promise<void> {
  await named(check, checkSignedBy(crl, issuer, "CRL"));
  if (context.now < crl.updates.notBefore) throw new Refused(check, "the CRL is from the future");
  if (context.now > crl.updates.notAfter) throw new Refused(check, "the CRL has expired");
  context.window.addDocument(crl.updates);
}

/** Step 3: both CRLs are the right ones, and name neither the PCK leaf nor its CA. */
export async function checkRevocation(
  chain: PckChain,
  collateral: Collateral,
  context: ChainContext,
): Promise<void> {
  await checkCrl(collateral.rootCrl, chain.root, context, "crl.root");
  await checkCrl(collateral.pckCrl, chain.ca, context, "crl.pck");
  if (collateral.rootCrl.revoked.has(chain.ca.serial))
    throw new Refused("pck.revoked", "the PCK CA is revoked");
  if (collateral.pckCrl.revoked.has(chain.leaf.serial)) {
    throw new Refused("pck.revoked", "the PCK certificate is revoked");
  }
}

export interface DocumentChecks {
  readonly signer: CheckId;
  readonly signature: CheckId;
}

/** Steps 4 and 5 up to the signature: the signer is a TCB signing certificate of the same root, valid, not revoked. */
export async function checkDocument(
  document: SignedDocument,
  root: Certificate,
  rootCrl: Crl,
  context: ChainContext,
  checks: DocumentChecks,
): Promise<void> {
  const refuse = (found: string) => new Refused(checks.signer, found);
  const [signer, issuer, more] = document.chain;
  if (signer === undefined || issuer === undefined || more !== undefined)
    throw refuse("not two certificates");
  if (issuer.spkiHash !== root.spkiHash) throw refuse("the signer's chain ends in another root");
  if (!hasName(signer, "SGX TCB Signing"))
    throw refuse("the signer is not named as a TCB signing certificate");
  checkIsLeaf(signer, checks.signer);
  await named(checks.signer, checkSignedBy(signer, root, "certificate"));
  checkValid(signer, context, checks.signer);
  if (rootCrl.revoked.has(signer.serial)) throw refuse("the signer is revoked");
  await named(checks.signature, verifyP256(signer.publicKey, utf8(document.text), document.signature));
}
