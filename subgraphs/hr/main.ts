import { serve } from '../serve'
import hr from './index'

serve(hr)
