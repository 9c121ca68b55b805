import { serve } from '../serve'
import tenancy from './index'

serve(tenancy)
