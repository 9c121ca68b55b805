import pg from 'pg'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import {
  openDatabase,
  type BindingMode,
  type Database,
  type DatabaseOptions,
} from '../../kernel/connection/database'
import { freshDatabase, type TestDatabase } from '../support/postgres'

export const modes: BindingMode[] = ['prepared', 'unnamed', 'pipeline']

@Entity({ schema: 'probe', name: 'notes' })
export class Note {
  @PrimaryColumn({ type: 'uuid', name: 'tenant_id', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string
  @PrimaryColumn({ type: 'uuid' })
  id: string
  @Column({ type: 'text' })
  body: string
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  at: string | null
}

/** A database with one tenant table, `probe.notes`, whose body is unique per tenant. */
export async function notesDatabase(): Promise<TestDatabase & { owner: pg.Client }> {
  const database = await freshDatabase({ empty: true })
  const owner = new pg.Client({ connectionString: database.superuserUrl })
  await owner.connect()
  owner.on('error', () => undefined)
  await owner.query(`
    CREATE SCHEMA probe;
    CREATE TABLE probe.notes (
      tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id'))::uuid,
      id uuid NOT NULL,
      body text NOT NULL,
      at timestamptz(3),
      PRIMARY KEY (tenant_id, id),
      CONSTRAINT notes_body_key UNIQUE (tenant_id, body) DEFERRABLE INITIALLY IMMEDIATE
    );
    ALTER TABLE probe.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON probe.notes
      USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
      WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
    GRANT USAGE ON SCHEMA probe TO app_hr;
    GRANT SELECT, INSERT, UPDATE, DELETE ON probe.notes TO app_hr;
  `)
  // A server far from UTC: what comes out must not depend on it.
  await owner.query('ALTER ROLE app_hr IN DATABASE ' + database.name + " SET TimeZone = 'Asia/Kolkata'")
  return {
    ...database,
    owner,
    drop: async () => {
      await owner.end()
      await database.drop()
    },
  }
}

export function openNotes(
  database: TestDatabase,
  mode: BindingMode,
  options: Partial<DatabaseOptions> = {},
): Promise<Database> {
  return openDatabase({
    url: database.urlFor('hr'),
    entities: [Note],
    connections: 2,
    mode,
    applicationName: 'notes',
    ...options,
  })
}

/** What every connection of the pool knows about the tenant and its transaction, past the binding. */
export async function leftovers(db: Database): Promise<unknown[]> {
  const pool = (db.dataSource.driver as unknown as { master: pg.Pool }).master
  const plain = pg.Client.prototype.query as (this: pg.Client, text: string) => Promise<pg.QueryResult>
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()))
  const found = await Promise.all(
    clients.map(async (client) => {
      const { rows } = await plain.call(
        client,
        "SELECT concat_ws(',', current_setting('app.tenant_id', true), current_setting('app.actor_id', true), " +
          "current_setting('app.request_id', true)) AS left",
      )
      return `${rows[0].left.replaceAll(',', '')}${client.getTransactionStatus()}`
    }),
  )
  for (const client of clients) client.release()
  return found
}
