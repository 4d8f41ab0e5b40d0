// The frame of every page: skip link, header with navigation, the page itself, foot. On phones the navigation is at the bottom.
import { Blocks, Coins, LayoutGrid, MessageSquare, Search, Settings } from "lucide-react";
import { Suspense } from "react";
import { Link, NavLink, Outlet, useLocation } from "react-router";
import { cx } from "@/shared/lib/cx.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { SimulatedBanner } from "@/shared/ui/simulated-banner.tsx";
import { WalletButton } from "@/shared/wallet/wallet-button.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import styles from "./shell.module.css";
import { ThemeButton } from "./theme-button.tsx";

const PAGES = [
  { to: "/", name: "Models", icon: LayoutGrid },
  { to: "/chat", name: "Chat", icon: MessageSquare },
  { to: "/pool", name: "Pool", icon: Blocks },
  { to: "/dashboard", name: "Dashboard", icon: Coins },
  { to: "/explorer", name: "Explorer", icon: Search },
] as const;

function Navigation() {
  return (
    <nav className={styles.nav} aria-label="Pages">
      {PAGES.map(({ to, name, icon: Icon }) => (
        <NavLink key={to} to={to} end={to === "/"} className={({ isActive }) => cx(styles.link, isActive && styles.active)}>
          <Icon aria-hidden />
          <span>{name}</span>
        </NavLink>
      ))}
    </nav>
  );
}

function Header() {
  return (
    <header className={styles.header}>
      <Link to="/" className={styles.logo}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>TeeTee</span>
      </Link>
      <Navigation />
      <div className={styles.tools}>
        <WalletButton />
        <ThemeButton />
        <Link to="/settings" className={styles.tool} aria-label="Settings" title="Settings">
          <Settings aria-hidden />
        </Link>
      </div>
    </header>
  );
}

// Whose bundle this is, and what that proves.
function Foot() {
  const { config, trustSource } = useSetup();
  return (
    <footer className={styles.foot}>
      <p>
        {config.servedBy === "web"
          ? "Served from this machine. "
          : "Served by a gateway: it could have changed this page. A page from your own machine (teetee web) proves more. "}
        {trustSource === null
          ? "No trust file: nothing here counts as verified. "
          : trustSource === "imported"
            ? "Checks follow the trust file that you imported. "
            : "Checks follow the trust file on this machine. "}
        <Link to="/glossary">Glossary</Link>
      </p>
    </footer>
  );
}

export function Shell() {
  const { pathname } = useLocation();
  const { simulated } = useSetup();
  const chat = pathname.startsWith("/chat");
  return (
    <div className={cx(styles.shell, chat && styles.fill)}>
      <a href="#main" className={styles.skip}>
        Skip to content
      </a>
      <Header />
      {simulated && <SimulatedBanner />}
      <main id="main" className={styles.main} tabIndex={-1}>
        <ErrorBoundary key={chat ? "/chat" : pathname}>
          <Suspense fallback={<div className={styles.loading} aria-busy="true" />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
      {!chat && <Foot />}
    </div>
  );
}
