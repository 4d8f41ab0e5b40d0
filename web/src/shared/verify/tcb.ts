// Which TCB levels match, and what they say together: steps 10 and 12 to 15 of docs/formats/evidence.md section 4.2.
// Pure. Throws Refused.
import { equalBytes, isZero } from "./bytes";
import type { CheckId } from "./checks";
import type {
  IsvLevel,
  ModuleIdentity,
  PlatformLevel,
  QeIdentity,
  TcbInfo,
  VersionedModule,
} from "./collateral";
import type { EnclaveReport, TdReport, TeeReport } from "./quote";
import { Refused } from "./refusal";
import type { SgxExtension } from "./sgx-extension";
import type { TcbStatus } from "./tcb-status";

const sgxDebug = 0x02; // byte 0 of ATTRIBUTES
const svn = { module: 0, moduleVersion: 1, seamLoader: 2 } as const;

function equalUnderMask(value: Uint8Array, mask: Uint8Array, wanted: Uint8Array): boolean {
  return value.every((byte, i) => (byte & (mask[i] as number)) === wanted[i]);
}

function atLeast(have: Uint8Array, want: Uint8Array, from: number): boolean {
  return have.every((byte, i) => i < from || byte >= (want[i] as number));
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

// A part of the platform (module, QE) can only make the status worse.
function converge(status: TcbStatus, part: TcbStatus): TcbStatus {
  if (part === "Revoked") return "Revoked";
  if (part !== "OutOfDate") return status;
  switch (status) {
    case "UpToDate":
    case "SWHardeningNeeded":
      return "OutOfDate";
    case "ConfigurationNeeded":
    case "ConfigurationAndSWHardeningNeeded":
      return "OutOfDateConfigurationNeeded";
    default:
      return status;
  }
}

const partStatuses: readonly TcbStatus[] = ["UpToDate", "OutOfDate", "Revoked"];

// First level, from the highest, that the security version reaches.
function matchIsv(levels: readonly IsvLevel[], isvSvn: number, check: CheckId): IsvLevel {
  const level = levels.find((candidate) => isvSvn >= candidate.isvSvn);
  if (level === undefined) throw new Refused(check, "no TCB level matches");
  if (!partStatuses.includes(level.status))
    throw new Refused(check, "the matching level has a foreign status");
  return level;
}

function findModule(info: TcbInfo, version: number): VersionedModule {
  const wanted = `TDX_${version.toString(16).padStart(2, "0").toUpperCase()}`;
  const found = info.moduleIdentities.find((identity) => identity.id.toUpperCase() === wanted);
  if (found === undefined) {
    throw new Refused("module.identity", "the TCB info does not know this version of the TDX module");
  }
  return found;
}

function checkModule(td: TdReport, module: ModuleIdentity): void {
  if (!equalBytes(td.mrSignerSeam, module.mrSigner)) {
    throw new Refused("module.identity", "another signer of the TDX module");
  }
  if (
    !equalUnderMask(td.seamAttributes, module.attributesMask, module.attributes) ||
    !isZero(td.seamAttributes)
  ) {
    throw new Refused("module.identity", "the TDX module has attributes set");
  }
}

// Level of the TDX module; none for version 0, whose versions are among the platform's components.
function matchModule(td: TdReport, info: TcbInfo): IsvLevel | undefined {
  const version = at(td.teeTcbSvn, svn.moduleVersion);
  if (version === 0) {
    if (info.module === undefined) throw new Refused("module.identity", "the TCB info names no TDX module");
    checkModule(td, info.module);
    return undefined;
  }
  const identity = findModule(info, version);
  checkModule(td, identity);
  return matchIsv(identity.levels, at(td.teeTcbSvn, svn.module), "module.level");
}

interface PlatformMatch {
  readonly level: PlatformLevel;
  /** the first whose SGX part alone matches */
  readonly sgxLevel: PlatformLevel;
}

function matchPlatform(report: TeeReport, pck: SgxExtension, info: TcbInfo): PlatformMatch {
  const reached = report.kind === "tdx" ? report.td.teeTcbSvn : undefined;
  // From module version 1 on, its two versions are judged by the module's own levels.
  const from = reached !== undefined && at(reached, svn.moduleVersion) > 0 ? 2 : 0;
  const bySgx = info.levels.filter(
    (level) => atLeast(pck.componentSvns, level.sgxComponents, 0) && pck.pceSvn >= level.pceSvn,
  );
  const level = bySgx.find(
    (candidate) => reached === undefined || atLeast(reached, candidate.tdxComponents, from),
  );
  const [sgxLevel] = bySgx;
  if (level === undefined || sgxLevel === undefined) {
    throw new Refused("tcb.level", "no TCB level matches: the platform is not supported");
  }
  return { level, sgxLevel };
}

function needsConfiguration(status: TcbStatus): boolean {
  return status.includes("Configuration");
}

// Is the module that runs now (TEE_TCB_SVN2) at the newest level?
function runsNewestModule(now: Uint8Array, info: TcbInfo): boolean {
  const [highest] = info.levels;
  if (highest === undefined) return false;
  if (at(now, svn.seamLoader) < at(highest.tdxComponents, svn.seamLoader)) return false;
  const version = at(now, svn.moduleVersion);
  if (version === 0) return at(now, svn.module) >= at(highest.tdxComponents, svn.module);
  const [newest] = findModule(info, version).levels;
  return newest !== undefined && at(now, svn.module) >= newest.isvSvn;
}

const currentPlatform: readonly TcbStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
];

interface RelaunchInput {
  /** converged with the module */
  readonly status: TcbStatus;
  /** of the first level whose SGX part matched */
  readonly sgx: TcbStatus;
  readonly module: TcbStatus | undefined;
  readonly qe: TcbStatus;
}

// A trust domain that was launched on an old module which has been updated under it since.
function applyRelaunch(td: TdReport, info: TcbInfo, input: RelaunchInput): TcbStatus {
  const stale = input.status === "OutOfDate" || input.status === "OutOfDateConfigurationNeeded";
  const candidate =
    stale && input.qe === "UpToDate" && input.module === "OutOfDate" && currentPlatform.includes(input.sgx);
  if (td.td15 === undefined || !candidate || !runsNewestModule(td.td15.teeTcbSvn2, info)) return input.status;
  const configuration = needsConfiguration(input.sgx) || needsConfiguration(input.status);
  return configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}

/** The quoting enclave against its identity (qe.policy), then its level (qe.level). */
export function matchQe(report: EnclaveReport, identity: QeIdentity): IsvLevel {
  const refuse = (found: string) => new Refused("qe.policy", found);
  if (!equalBytes(report.mrSigner, identity.mrSigner)) throw refuse("another signer of the quoting enclave");
  if (report.isvProdId !== identity.isvProdId) throw refuse("another product");
  if (!equalUnderMask(report.miscSelect, identity.miscSelectMask, identity.miscSelect))
    throw refuse("MISCSELECT differs");
  if (!equalUnderMask(report.attributes, identity.attributesMask, identity.attributes))
    throw refuse("ATTRIBUTES differ");
  if ((at(report.attributes, 0) & sgxDebug) !== 0) throw refuse("the quoting enclave is in debug mode");
  return matchIsv(identity.levels, report.isvSvn, "qe.level");
}

export interface TcbVerdict {
  /** converged */
  readonly status: TcbStatus;
  readonly platform: TcbStatus;
  readonly module: TcbStatus | undefined;
  /** sorted, each once */
  readonly advisories: readonly string[];
}

/** Platform, TDX module and QE together. */
export function judgeTcb(report: TeeReport, pck: SgxExtension, info: TcbInfo, qe: IsvLevel): TcbVerdict {
  const module = report.kind === "tdx" ? matchModule(report.td, info) : undefined;
  const platform = matchPlatform(report, pck, info);
  let status = platform.level.status;
  if (module !== undefined) status = converge(status, module.status);
  if (report.kind === "tdx") {
    const input = { status, sgx: platform.sgxLevel.status, module: module?.status, qe: qe.status };
    status = applyRelaunch(report.td, info, input);
  }
  const advisories = [...platform.level.advisories, ...(module?.advisories ?? []), ...qe.advisories];
  return {
    status: converge(status, qe.status),
    platform: platform.level.status,
    module: module?.status,
    advisories: [...new Set(advisories)].sort(),
  };
}
