// Intel's names of TCB statuses, in the order in which trust files list them.

export const tcbStatuses = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
  "Revoked",
] as const;

export type TcbStatus = (typeof tcbStatuses)[number];

export function tcbStatusFromName(name: string): TcbStatus | undefined {
  return tcbStatuses.find((status) => status === name);
}
