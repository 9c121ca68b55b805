import { join } from 'node:path'
import type { Config } from '../process/config'
import type { BlobStore } from './blob-store'
import { checkedBlobs } from './checked'
import { folderBlobs } from './folder-blobs'
import { s3Blobs } from './s3-blobs'

/** The store of files that the configuration names: a bucket with S3_URL, otherwise `DATA_DIR/blobs`. */
export function openBlobs({ s3, dataDir }: Pick<Config, 's3' | 'dataDir'>): BlobStore {
  return checkedBlobs(s3 ? s3Blobs(s3) : folderBlobs(join(dataDir, 'blobs')))
}
