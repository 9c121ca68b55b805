import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import { fileList } from '../screening/file-list'
import { inTime, type ScreeningProvider } from '../screening/provider'
import { writeScreening } from '../screening/screen-record'

/** Names the record to screen, and the content that was to be screened. */
export interface ScreeningTask {
  recordId: string
  contentVersion: number
}

/** Milliseconds that lists are waited for: less than a statement's, since a row is locked meanwhile. */
export const screeningMs = 5_000

const known = new Map<string, ScreeningProvider>()

/** The provider that the configuration names. @throws Error when it names none: then nobody is cleared */
export function configuredProvider({ services }: SubgraphContext): ScreeningProvider {
  const file = services.config.screeningList
  if (!file) throw new Error('SCREENING_LIST names no list: nobody can be screened')
  const provider = known.get(file) ?? fileList(file)
  known.set(file, provider)
  return provider
}

/**
 * Compares the person of a record with the lists. Whatever goes wrong is tried again, and then the record stays as it was: no
 * answer never clears anybody.
 * @param providerOf says with what
 */
export function screeningJob(
  providerOf: (context: SubgraphContext) => ScreeningProvider,
  ms = screeningMs,
): Job<ScreeningTask> {
  return {
    name: 'screening',
    async run(context, tx, { recordId, contentVersion }, { signal }) {
      const record = await tx.find(ComplianceRecord, recordId)
      // Changed, decided or screened meanwhile: whoever did that asks again.
      if (record.contentVersion !== contentVersion || !['SCREENING', 'APPROVED'].includes(record.status))
        return
      const { subjectName: name, subjectBirthDate: birthDate } = record
      if (name === null) return
      const provider = providerOf(context)
      const result = await inTime((stop) => provider.screen({ name, birthDate }, stop), ms, signal)
      await writeScreening(tx, record, result, context.clock.now())
    },
  }
}

export const screening = screeningJob(configuredProvider)
