// Stands on every page while the trust file is of class simulated.
import { FlaskConical } from "lucide-react";
import styles from "./simulated-banner.module.css";

export function SimulatedBanner() {
  return (
    <aside className={styles.banner} aria-label="Simulated evidence">
      <FlaskConical aria-hidden />
      <p>
        <strong>Simulated.</strong> The evidence here is signed by a root that this machine made for itself,
        and the money is that of a development chain. It protects nothing.
      </p>
    </aside>
  );
}
