// Files with which anybody can check the node's quote again, offline and without this page.
import { Download } from "lucide-react";
import { decodeShownQuote } from "@/shared/evidence/node-evidence.ts";
import type { JudgedEvidence } from "@/shared/evidence/use-evidence.ts";
import { saveFile } from "@/shared/lib/save-file.ts";
import { Button } from "@/shared/ui/button.tsx";
import { CodeBlock } from "@/shared/ui/code-block.tsx";
import { toHex } from "@/shared/verify/bytes.ts";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import styles from "./explorer.module.css";

export function NodeDownloads({ evidence, trust }: { evidence: JudgedEvidence; trust: TrustFile }) {
  const decoded = decodeShownQuote(evidence.shown.evidence);
  if (!decoded) return null;
  const name = `teetee-${evidence.shown.key.slice(2, 10)}`;
  const files = [
    { title: "Quote", file: `${name}-quote.hex`, text: toHex(decoded.quote), type: "text/plain" },
    {
      title: "Collateral",
      file: `${name}-collateral.json`,
      text: new TextDecoder().decode(evidence.shown.collateral),
      type: "application/json",
    },
    { title: "Trust file", file: `${name}-trust.json`, text: trust.text, type: "application/json" },
  ];
  return (
    <section className={styles.stack} aria-label="Check it offline">
      <h3>Check it offline</h3>
      <div className={styles.buttons}>
        {files.map(({ title, file, text, type }) => (
          <Button
            key={file}
            size="s"
            icon={<Download aria-hidden />}
            onClick={() => saveFile(file, text, type)}
          >
            {title}
          </Button>
        ))}
      </div>
      <CodeBlock
        label="Offline"
        code={`teetee attest verify --quote ${files[0]?.file} --collateral ${files[1]?.file} --trust ${files[2]?.file} --now ${evidence.at}`}
      />
    </section>
  );
}
