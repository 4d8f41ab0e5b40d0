// One model: everything that its id stands for, hashed here, compared with the contract.
import { useQuery } from "@tanstack/react-query";
import { usePublicClient } from "wagmi";
import { registryAbi } from "@/shared/chain/abi.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { type ModelFacts, modelQuery } from "@/shared/gateway/get-model.ts";
import { nodesQuery } from "@/shared/gateway/get-nodes.ts";
import { formatBytes } from "@/shared/lib/format.ts";
import { saveFile } from "@/shared/lib/save-file.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { type CheckItem, CheckList } from "@/shared/ui/check-list.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { Table } from "@/shared/ui/table.tsx";
import styles from "./components/explorer.module.css";
import { SearchBox } from "./components/search-box.tsx";

export function ModelPage({ id }: { id: `0x${string}` }) {
  const { gateway } = useSetup();
  const facts = useQuery(modelQuery(gateway, id));
  return (
    <Page
      title={facts.data ? `Model ${facts.data.manifest.name}` : "Model"}
      lead={<Hash value={id} label="model id" />}
    >
      <SearchBox />
      <GatewayState query={facts} height={20}>
        {(data) => (
          <>
            <ModelProof facts={data} />
            <Params facts={data} />
            <Slots facts={data} />
          </>
        )}
      </GatewayState>
    </Page>
  );
}

function ModelProof({ facts }: { facts: ModelFacts }) {
  const { registry, trust, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  const onChain = useQuery({
    queryKey: ["chain", "model", registry, facts.id],
    queryFn: async () =>
      (
        await (client as NonNullable<typeof client>).readContract({
          address: registry,
          abi: registryAbi,
          functionName: "info",
          args: [facts.id],
        })
      )[6],
    enabled: client !== undefined,
  });
  const named = [...(trust?.models ?? [])].find(([, id]) => id === facts.id)?.[0];
  const own: CheckItem[] = [
    {
      id: "model.id",
      title: "The parameters hash to the id",
      status: "passed",
      detail: "Computed in this page.",
      facts: [{ label: "Id", value: facts.id, code: true }],
    },
    {
      id: "model.manifest",
      title: "The manifest hashes to what the parameters name",
      status: "passed",
      detail: "Computed in this page.",
      facts: [{ label: "SHA-256", value: facts.manifestHash, code: true }],
    },
    {
      id: "model.trust",
      title: "Your trust file knows it",
      status: named ? "passed" : "skipped",
      detail: named
        ? `As “${named}”.`
        : "It does not name this model: chats with it are refused until you add it.",
    },
  ];
  return (
    <Card title="Proof">
      <GatewayState query={onChain} height={6}>
        {(manifest) => (
          <CheckList
            label="Proof of the model"
            checks={[
              ...own,
              {
                id: "model.chain",
                title: "The contract has the same manifest",
                status: manifest.toLowerCase() === facts.manifestHash ? "passed" : "failed",
                detail: "Read by your RPC.",
                facts: [{ label: "On chain", value: manifest, code: true }],
              },
            ]}
          />
        )}
      </GatewayState>
    </Card>
  );
}

function Params({ facts }: { facts: ModelFacts }) {
  const { params, manifest } = facts;
  const bytes = manifest.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return (
    <Card
      title="What it is"
      actions={
        <Button size="s" onClick={() => saveFile("manifest.json", facts.manifestText, "application/json")}>
          Download manifest.json
        </Button>
      }
    >
      <Facts
        items={[
          ["Architecture", manifest.config["architecture"] ?? "not told"],
          ["Layers", manifest.config["n_layers"] ?? "not told"],
          ["Tensors", `${manifest.tensors.length}, ${formatBytes(bytes)}`],
          ["Context", `${manifest.config["context_length"] ?? "?"} tokens`],
          [
            "Price in",
            <span key="i">
              <Amount wei={params.price_in * 1_000_000n} /> for a million tokens
            </span>,
          ],
          [
            "Price out",
            <span key="o">
              <Amount wei={params.price_out * 1_000_000n} /> for a million tokens
            </span>,
          ],
          ["Judge of joining nodes", <Hash key="v" value={params.verifier} label="verifier contract" />],
          ["Lease", `${params.lease / 3600} hours`],
          ["Refund after", `${params.timeout} seconds at the least`],
        ]}
      />
      <p className={styles.quiet}>
        The judge of joining nodes is a contract. If it is an allow-list, nodes are admitted by the word of
        named auditors; clients verify each node’s evidence themselves.
      </p>
    </Card>
  );
}

function Slots({ facts }: { facts: ModelFacts }) {
  const { gateway } = useSetup();
  const nodes = useQuery(nodesQuery(gateway, facts.id));
  const total = facts.params.slots.reduce((sum, slot) => sum + slot.share, 0);
  return (
    <Card title="Slots">
      <Table
        caption="Slots of the model"
        head={["Slot", "Layers", "Part of the fee", "Weights (root)", "Nodes", ""]}
        numbers={[2]}
      >
        {facts.manifest.slots.map((slot, i) => {
          const here = (nodes.data ?? []).filter((node) => node.slot === i);
          return (
            <tr key={slot.weights_root}>
              <td>{i}</td>
              <td>
                {slot.first_block} to {slot.first_block + slot.block_count - 1}
              </td>
              <td className="num">
                {Math.round(((facts.params.slots[i]?.share ?? 0) / total) * 1000) / 10} %
              </td>
              <td>
                <Hash value={`0x${slot.weights_root}`} label="weights root" />
              </td>
              <td>
                {here.length === 0 ? (
                  <Badge tone="accent">free</Badge>
                ) : (
                  here.map((node) => (
                    <Hash
                      key={node.key}
                      value={node.key}
                      label="node key"
                      to={`/explorer/node/${node.key}`}
                    />
                  ))
                )}
              </td>
              <td>
                <ButtonLink to={`/pool/${facts.id}/${i}`} size="s">
                  Host slot {i}
                </ButtonLink>
              </td>
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}
