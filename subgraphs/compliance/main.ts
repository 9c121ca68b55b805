import { serve } from '../serve'
import compliance from './index'

serve(compliance)
